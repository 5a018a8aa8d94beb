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
        "ShellCommandRequirement",
        "SoftwareRequirement",
        "StepInputExpressionRequirement",
        "SubworkflowFeatureRequirement",
        "ToolTimeLimit",
        "WorkReuse",
    }
)

_CWLTOOL: Final = "http://commonwl.org/cwltool#"
#: Classes that are not CWL's own, by the URI of each.
EXTENSIONS: Final = {
    f"{_CWLTOOL}{name}": name
    for name in ("CUDARequirement", "MPIRequirement", "Secrets", "ShmSize")
} | {"https://localproc.dev/ns#Progress": "Progress"}


def is_of(class_name: str, version: str) -> bool:
    """Whether a class of requirement is of a version of CWL."""
    return version != "v1.0" or class_name not in _LATER
