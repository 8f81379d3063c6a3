"""Attribution methods, one file each; a file that defines METHOD is registered by being here."""

from medgemma_dash.methods.registry import available, get
from medgemma_dash.methods.specification import Control, Method, MethodSpec, Rows

__all__ = ["Control", "Method", "MethodSpec", "Rows", "available", "get"]
