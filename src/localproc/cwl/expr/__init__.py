"""CWL's expressions: parameter references and JavaScript.

Owns finding, evaluating and limiting them. Must not know what the values are for.
"""
