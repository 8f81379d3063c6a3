"""Attribution methods, one file each; a file that defines METHOD is registered by being here."""

from medgemma_dash.methods.call import Call
from medgemma_dash.methods.options import Option
from medgemma_dash.methods.registry import available, get
from medgemma_dash.methods.specification import Method, MethodSpec

__all__ = ["Call", "Method", "MethodSpec", "Option", "available", "get"]
