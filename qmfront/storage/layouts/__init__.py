"""One file per kind of store: a script depends on those that it imports, so that a new array reruns little."""
