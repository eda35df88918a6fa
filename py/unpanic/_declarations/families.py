"""Groups of names that refer to each other, directly or through others (strongly connected components)."""

from collections.abc import Collection, Mapping

__all__ = ["large_families"]


def large_families(references: Mapping[str, Collection[str]], most: int) -> dict[str, int]:
    """Returns the names in groups of more than `most`, each with the number of its group.

    Args:
        references: the names to which each name refers.
        most: the size up to which a group is not large.
    """
    families: dict[str, int] = {}
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    for root in references:
        path = [(root, iter(references.get(root, ())))] if root not in order else []
        while path:
            name, rest = path[-1]
            if name not in order:
                order[name] = lowest[name] = len(order)
                stack.append(name)
            for other in rest:
                if other not in order:
                    path.append((other, iter(references.get(other, ()))))
                    break
                if other in lowest:
                    lowest[name] = min(lowest[name], lowest[other])
            else:
                path.pop()
                if path:
                    lowest[path[-1][0]] = min(lowest[path[-1][0]], lowest[name])
                if lowest[name] == order[name]:
                    family: list[str] = []
                    while name not in family[-1:]:
                        family.append(stack.pop())
                        del lowest[family[-1]]
                    if len(family) > most:
                        families.update(dict.fromkeys(family, order[name]))
    return families
