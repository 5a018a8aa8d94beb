"""From the texts of a package to its resolved form, plain JSON.

Owns cwl-utils, imports, types and the explanation of what a parser refuses. Must not know how a
package is checked or run.
"""
