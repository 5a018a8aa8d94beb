"""What all of CWL is made of: types, file values, numbers, positions in a document.

Owns these words and small rules. Must not know expressions, documents or how anything is run.
"""
