"""The classes of requirements that the interpreter understands.

Owns that list. Must not know what they mean.
"""

from typing import Final

#: Classes that CWL v1.0 has not.
_LATER: Final = frozenset(
    {
        "InplaceUpdateRequirement",
        "LoadListingRequirement",
        "NetworkAccess",
        "ToolTimeLimit",
        "WorkReuse",
    }
)
#: Extensions of cwltool that are understood, by the names that they may have in a document.
_CWLTOOL: Final = {
    prefix + name: name
    for name in ("Secrets",)
    for prefix in ("cwltool:", "http://commonwl.org/cwltool#")
}
TOO_EARLY: Final = "%s is for CWL v1.1"
TOO_EARLY_HINT: Final = "raise the cwlVersion, or move it to hints to go without it"

SUPPORTED: Final = frozenset(
    {
        "DockerRequirement",
        "EnvVarRequirement",
        "InitialWorkDirRequirement",
        "InlineJavascriptRequirement",
        "InplaceUpdateRequirement",
        "LoadListingRequirement",
        "MultipleInputFeatureRequirement",
        "NetworkAccess",
        "ResourceRequirement",
        "ScatterFeatureRequirement",
        "SchemaDefRequirement",
        "Secrets",
        "ShellCommandRequirement",
        "SoftwareRequirement",
        "StepInputExpressionRequirement",
        "SubworkflowFeatureRequirement",
        "ToolTimeLimit",
        "WorkReuse",
    }
)


def known_class(class_name: str) -> str:
    """Return the name that a class of requirement has here."""
    return _CWLTOOL.get(class_name, class_name)


def is_of(class_name: str, version: str) -> bool:
    """Whether a class of requirement is of a version of CWL."""
    return version != "v1.0" or class_name not in _LATER
