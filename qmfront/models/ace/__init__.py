from qmfront.models.ace.calculator import ACE

__all__ = ["ACE"]
