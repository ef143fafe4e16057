"""The counter tells kinds of instructions apart, and what it wrote is read as a stranger's."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import edge_vc_boards
from edge_vc_boards.emulation.counts import InstructionCounts, mark_number, read_counts
from edge_vc_boards.emulation.error import EmulationError

# Encodings from the Arm Architecture Reference Manual.
WORDS = {
    "sdot v0.4s, v1.16b, v2.16b": (0x4E829420, "dot_product"),
    "udot v0.4s, v1.16b, v2.16b": (0x6E829420, "dot_product"),
    "sdot v0.4s, v1.16b, v2.4b[1]": (0x4FA2E020, "dot_product"),
    "smmla v0.4s, v1.16b, v2.16b": (0x4E82A420, "matrix"),
    "smull v0.8h, v1.8b, v2.8b": (0x0E22C020, "widening"),
    "smlal2 v0.8h, v1.16b, v2.16b": (0x4E228020, "widening"),
    "smlal v0.4s, v1.4h, v2.h[0]": (0x0F422020, "widening"),
    "fmla v0.4s, v1.4s, v2.4s": (0x4E22CC20, "float_fma"),
    "fmla v0.4s, v1.4s, v2.s[0]": (0x4F821020, "float_fma"),
    "sadalp v0.4s, v1.8h": (0x4E606820, "simd"),
    "fadd v0.4s, v1.4s, v2.4s": (0x4E22D420, "simd"),
    "ldr q0, [x0]": (0x3DC00000, "memory"),
    "ldp x0, x1, [sp]": (0xA94007E0, "memory"),
    "b .": (0x14000000, "branch"),
    "ret": (0xD65F03C0, "branch"),
    "add x0, x0, x1": (0x8B010000, "integer"),
    "mov x0, #1": (0xD2800020, "integer"),
}
STUBS = """
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id i, on_translate c) { (void)i, (void)c; }
void qemu_plugin_register_vcpu_syscall_cb(plugin_id i, on_syscall c) { (void)i, (void)c; }
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *b, enum qemu_plugin_op o,
    void *p, uint64_t n) { (void)b, (void)o, *(uint64_t *)p += n; }
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *b) { (void)b; return 1; }
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *b, size_t i)
    { (void)i; return (void *)b; }
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *i) { return i; }
int main(void) { uint32_t w; while (scanf("%x", &w) == 1) puts(names[classify(w)]); }
"""


@pytest.fixture(scope="module")
def classify(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program that reads instruction words and prints their classes."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("icount")
    source = Path(str(edge_vc_boards.__file__)).parent / "emulation" / "icount.c"
    (folder / "main.c").write_text(f'#include "{source}"\n{STUBS}')
    command = ["cc", "-Wall", "-Wextra", "-Werror", "-o", folder / "classify", folder / "main.c"]
    subprocess.run(command, check=True)
    return folder / "classify"


def test_instructions_are_counted_in_their_class(classify: Path) -> None:
    words = "\n".join(f"{word:x}" for word, _ in WORDS.values())
    done = subprocess.run([classify], input=words, capture_output=True, text=True, check=True)
    found = dict(zip(WORDS, done.stdout.split(), strict=True))
    assert found == {name: kind for name, (_, kind) in WORDS.items()}


def test_counts_are_read_with_their_sums(tmp_path: Path) -> None:
    line = {"mark": 3, "dot_product": 2, "matrix": 0, "widening": 5, "integer": 100}
    (tmp_path / "counts.jsonl").write_text(json.dumps(line) + "\n")
    (found,) = read_counts(tmp_path / "counts.jsonl")
    assert found == InstructionCounts(
        3, {"dot_product": 2, "matrix": 0, "widening": 5, "integer": 100}
    )
    assert found.total == 107


@pytest.mark.parametrize("text", ['{"mark": 1', '{"total": 1}', "[1]"], ids=ascii)
def test_a_file_that_is_cut_short_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "counts.jsonl").write_text(text)
    with pytest.raises(EmulationError, match="counter's file cannot be read"):
        read_counts(tmp_path / "counts.jsonl")
    with pytest.raises(EmulationError, match="counter's file cannot be read"):
        read_counts(tmp_path / "none.jsonl")


def test_marks_are_process_groups_that_cannot_be() -> None:
    assert mark_number(0) == -7700000
    assert mark_number(2) == -7700002
