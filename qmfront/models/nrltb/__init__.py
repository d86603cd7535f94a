from qmfront.models.nrltb.calculator import NRLTB

__all__ = ["NRLTB"]
