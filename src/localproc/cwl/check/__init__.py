"""What is wrong with a package, said before anything of it runs.

Owns the static checks. Must not know how packages are loaded or run beyond their resolved form.
"""
