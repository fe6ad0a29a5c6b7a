"""Bindings in access.yaml to groups that a directory feeds."""

from onepam.domain.access.model import SubjectKind
from tests.domain.matrix.test_file import FILE, matrix, problems


def test_a_directory_s_group_is_bound_without_being_declared() -> None:
    bound = FILE.replace("group: web,", 'group: "directory:Platform & Tools",')
    (binding,) = [each for each in matrix(bound).bindings.values() if each.role == "web"]
    assert (binding.subject_kind, binding.subject) == (SubjectKind.GROUP, "directory:Platform & Tools")
    assert "no name" in problems(FILE.replace("group: web,", 'group: "directory:",'))[0]
    assert "at most" in problems(FILE.replace("group: web,", f'group: "directory:{"x" * 300}",'))[0].lower()
    assert problems(FILE.replace("  web: {members", "  directory:x: {members")) != []
