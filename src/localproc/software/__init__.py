"""Software that tools need, found where it is installed (SoftwareRequirement).

Owns the resolvers that come with localproc, and asking them in their order. Must not know CWL, nor
what a tool does with it.
"""
