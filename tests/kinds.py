"""Every kind of store by name."""

import pkgutil
from importlib import import_module

from qmfront.storage import layouts
from qmfront.storage.layout import Kind

KINDS = {
    found.name: found
    for module in pkgutil.iter_modules(layouts.__path__)
    for found in vars(import_module(f"{layouts.__name__}.{module.name}")).values()
    if isinstance(found, Kind)
}
