"""The command `qmfront`: a study in any folder, computed by the workflow that the package brings."""
