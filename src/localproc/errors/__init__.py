"""Every error that localproc raises on purpose, in one tree.

::

    LocalprocError
    ├── PackageError                 the package cannot be used
    │   ├── InvalidPackage           ... because it is wrong: every problem with its place
    │   └── UnsupportedPackage       ... because it asks for something that is not there
    ├── InvalidInputs                the inputs do not fit the process: every problem at once
    ├── UnknownOption                a call has no option of that name (a TypeError as well)
    ├── NotFound
    │   ├── NoSuchProcess
    │   ├── NoSuchJob
    │   │   └── AmbiguousJob         ... for several have that piece in their ids
    │   ├── NoSuchStep
    │   └── NoSuchOutput
    ├── Conflict
    │   ├── DuplicatedProcess
    │   ├── ImmutableProcess
    │   └── ProcessInUse
    ├── ResultsNotReady              the job is not successful yet, or never will be
    ├── JobFailed                    which step, its exit code, the end of its stderr, what to do
    ├── JobDismissed
    ├── ExpressionError              an expression of the package went wrong
    ├── StepError                    a step could not be prepared, or its outputs not be collected
    ├── StagingError                 a file could not be brought in or out
    │   ├── NoSuchObject             ... for nothing is there
    │   ├── ObjectExists             ... for something is there already
    │   └── StorageUnavailable       ... now: the storage is away, busy, or broke off
    ├── EnvironmentProblem           the machine, not the package
    │   ├── HomeUnusable
    │   │   └── StoreLocked          ... now: another process holds its store
    │   ├── StoreCorrupted
    │   ├── NoSpace
    │   ├── PluginMissing
    │   └── ServerUnreachable       a server that was named with --to does not answer
    ├── ServerRefused                a server that was named with --to says no
    ├── ExecutorUnavailable          no news from the executor: never a failure of the task
    └── InvalidTransition            a bug: a job was asked to do what its state forbids

Errors carry fields, and a ``hint`` that says what to do. ``to_problem()`` gives the members of an
RFC 9457 problem document. This package must not know any other one.
"""

from localproc.errors.asked import (
    AmbiguousJob,
    Conflict,
    DuplicatedProcess,
    ImmutableProcess,
    InvalidInputs,
    InvalidPackage,
    NoSuchJob,
    NoSuchOutput,
    NoSuchProcess,
    NoSuchSchedule,
    NoSuchStep,
    NoSuchSubscription,
    NotFound,
    PackageError,
    ProcessInUse,
    UnknownOption,
    UnsupportedPackage,
)
from localproc.errors.environment import (
    INSTALL,
    EnvironmentProblem,
    ExecutorUnavailable,
    HomeUnusable,
    ImageError,
    JobPutAside,
    NoSpace,
    PluginMissing,
    SecretUnavailable,
    ServerRefused,
    ServerUnreachable,
    StoreCorrupted,
    StoreLocked,
)
from localproc.errors.jobs import (
    ExpressionError,
    InvalidTransition,
    JobDismissed,
    JobFailed,
    ResultsGone,
    ResultsNotReady,
    StepError,
)
from localproc.errors.root import EXCEPTIONS_1, EXCEPTIONS_2, LocalprocError, Problem
from localproc.errors.staging import (
    NoSuchObject,
    NotMirrored,
    ObjectExists,
    StagingError,
    StorageUnavailable,
    StorageUnreachable,
)

__all__ = [
    "EXCEPTIONS_1",
    "EXCEPTIONS_2",
    "INSTALL",
    "AmbiguousJob",
    "Conflict",
    "DuplicatedProcess",
    "EnvironmentProblem",
    "ExecutorUnavailable",
    "ExpressionError",
    "HomeUnusable",
    "ImageError",
    "ImmutableProcess",
    "InvalidInputs",
    "InvalidPackage",
    "InvalidTransition",
    "JobDismissed",
    "JobFailed",
    "JobPutAside",
    "LocalprocError",
    "NoSpace",
    "NoSuchJob",
    "NoSuchObject",
    "NoSuchOutput",
    "NoSuchProcess",
    "NoSuchSchedule",
    "NoSuchStep",
    "NoSuchSubscription",
    "NotFound",
    "NotMirrored",
    "ObjectExists",
    "PackageError",
    "PluginMissing",
    "Problem",
    "ProcessInUse",
    "ResultsGone",
    "ResultsNotReady",
    "SecretUnavailable",
    "ServerRefused",
    "ServerUnreachable",
    "StagingError",
    "StepError",
    "StorageUnavailable",
    "StorageUnreachable",
    "StoreCorrupted",
    "StoreLocked",
    "UnknownOption",
    "UnsupportedPackage",
]
