"""Every error this package raises on purpose.

MedGemmaDashError
├── ImageError              a radiograph could not be read
├── ModelError              a model could not be loaded or used
│   ├── ModelNotFoundError      no such folder or hub id, or no weights in it
│   ├── ModelAccessError        the model is gated and this machine is not signed in
│   └── UnsupportedModelError   the checkpoint is not a Gemma 3 image-text model
├── PromptError             the question cannot be put to the model
├── TableError              a table of questions could not be read
├── TargetError             the word, phrase or span to explain does not exist
├── MethodError             unknown method, or options it does not take
├── NoExplanationError      the method ran and found nothing to show
├── OutOfMemoryError        the device ran out of memory
├── CancelledError          the user stopped the work, or closed the page
├── ResultFileError         a stored result is missing, of another run, or cannot be written
├── DependencyError         a library is missing, or of a version that does not fit
└── SettingError            an environment setting has a value that is not allowed

A message says what was wrong, what is allowed, and what to do next.
It never contains pixel data, DICOM tags, or a path that the user did not type.
"""

LONGEST_QUOTED = 60


def quoted(value: object) -> str:
    """What somebody gave, for a message: in quotes where it is text, and not long."""
    text = repr(value)
    return text if len(text) <= LONGEST_QUOTED else text[:LONGEST_QUOTED] + "..."


class MedGemmaDashError(Exception):
    """Base of all errors raised on purpose by this package."""


class ImageError(MedGemmaDashError):
    """A radiograph could not be read; the message gives the reason and the remedy."""


class ModelError(MedGemmaDashError):
    """A model could not be loaded or used."""


class ModelNotFoundError(ModelError):
    """There is no such checkpoint, or it holds no safetensors weights."""


class ModelAccessError(ModelError):
    """The checkpoint is gated and this machine has no access to it."""


class UnsupportedModelError(ModelError):
    """The checkpoint is not a Gemma 3 image-text model."""


class PromptError(MedGemmaDashError):
    """The question is empty, too long, or cannot be put to the model."""


class TableError(MedGemmaDashError):
    """A table of questions is no table, or lacks the columns that a question needs."""


class TargetError(MedGemmaDashError):
    """The token, phrase or span to explain does not exist in the answer."""


class MethodError(MedGemmaDashError):
    """The attribution method is unknown or was given options it does not take."""


class NoExplanationError(MedGemmaDashError):
    """The method ran and found nothing: there is no map to show for this target."""


class OutOfMemoryError(MedGemmaDashError):
    """The device ran out of memory; nothing computed earlier was lost."""


class CancelledError(MedGemmaDashError):
    """The work was stopped before it was finished."""


class ResultFileError(MedGemmaDashError):
    """A file of stored results is missing, does not fit, or cannot be written."""


class DependencyError(MedGemmaDashError):
    """A library that the program needs is missing, or of a version that does not fit."""


class SettingError(MedGemmaDashError):
    """An environment setting has a value that is not allowed."""
