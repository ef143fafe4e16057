from __future__ import annotations

import os
import shlex
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from teachers_toys import CONVERTER
from voices import voice

from edge_vc.teachers.command import CommandSpec
from edge_vc.teachers.loading import open_teacher
from edge_vc.teachers.outliers import OutlierError
from edge_vc.teachers.spec import TeacherError


def script(folder: Path, code: str) -> str:
    path = folder / "a script.py"
    path.write_text(code)
    return f"{shlex.quote(sys.executable)} -S {shlex.quote(str(path))} {{input}} {{output}}"


def spec(folder: Path, code: str, **more: object) -> CommandSpec:
    return CommandSpec(command=script(folder, code), **({"retries": 0} | more))


def test_files_go_in_and_come_out(tmp_path):
    command = script(tmp_path, CONVERTER).replace(" -S ", " ")
    audio = voice(0.5)
    output = open_teacher(CommandSpec(command=command)).convert(audio)
    np.testing.assert_allclose(output, audio / 2, atol=1e-4)


def test_no_shell_reads_the_template(tmp_path):
    command = f"{sys.executable} -c 'import sys; sys.exit(sys.argv[3])' {{input}} {{output}}"
    teacher = open_teacher(CommandSpec(command=f"{command} '; touch {tmp_path}/ran $(id)'"))
    with pytest.raises(TeacherError, match=r"saying: ; touch .*ran \$\(id\)"):
        teacher.convert(voice(0.2))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys\nprint('a', file=sys.stderr)\nsys.exit('no model')", "exit code 1, saying: a"),
        ("import sys\nsys.exit('no model')", "exit code 1, saying: no model"),
        ("print('only here')\nraise SystemExit(3)", "exit code 3, saying: only here"),
        ("pass", "wrote no {output} file, saying nothing"),
        ("import os\nos.kill(os.getpid(), 9)", "ended by signal SIGKILL"),
        ("import sys\nopen(sys.argv[2], 'w').write('x')", "{output} is not audio"),
    ],
    ids=["stderr", "exit text", "stdout", "nothing", "signal", "junk"],
)
def test_a_failure_shows_what_the_command_said(tmp_path, code, words):
    with pytest.raises(TeacherError) as caught:
        open_teacher(spec(tmp_path, code)).convert(voice(0.2))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_only_the_last_lines_are_shown(tmp_path):
    code = "import sys\nfor i in range(9999): print('line', i, file=sys.stderr)\nsys.exit(1)"
    with pytest.raises(TeacherError, match=r"saying: line 9995 \| .* \| line 9999?8"):
        open_teacher(spec(tmp_path, code.replace("9999", "10000"))).convert(voice(0.2))


def test_a_hanging_command_is_ended_with_its_children(tmp_path):
    code = (
        "import os, subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    begun = time.monotonic()
    with pytest.raises(TeacherError, match="not done after 1 s"):
        open_teacher(spec(tmp_path, code, timeout=1.0)).convert(voice(0.2))
    assert time.monotonic() - begun < 20
    child = int((tmp_path / "pid").read_text())
    for _ in range(50):
        if not alive(child):
            break
        time.sleep(0.1)
    assert not alive(child)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_failure_is_tried_again(tmp_path):
    code = (
        "import os, sys, shutil\n"
        f"tries = {str(tmp_path / 'tries')!r}\n"
        "open(tries, 'a').write('x')\n"
        "if os.path.getsize(tries) < 3: sys.exit('not yet')\n"
        "shutil.copy(sys.argv[1], sys.argv[2])\n"
    )
    audio = voice(0.2)
    with pytest.raises(TeacherError, match="not yet"):
        open_teacher(spec(tmp_path, code, retries=1)).convert(audio)
    output = open_teacher(spec(tmp_path, code, retries=1)).convert(audio)
    np.testing.assert_allclose(output, audio, atol=1e-4)


def test_another_rate_than_said_is_refused_with_the_key(tmp_path):
    code = CONVERTER.replace("0.5 * audio, rate", "audio.repeat(3), 48000")
    command = script(tmp_path, code).replace(" -S ", " ")
    with pytest.raises(
        OutlierError, match="at 48000 Hz, not 16000: set output_sample_rate = 48000"
    ):
        open_teacher(CommandSpec(command=command)).convert(voice(0.2))
    output = open_teacher(CommandSpec(command=command, output_sample_rate=48000)).convert(
        voice(0.2)
    )
    assert output.shape == (3200,)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("convert {input}", "has no {output}"),
        ("{input} {output}", "has no {input}"),
        ("convert 'open {input} {output}", "No closing quotation"),
        ("", "has no {input}"),
    ],
)
def test_a_bad_template_is_refused_at_once(command, words):
    with pytest.raises(TeacherError) as caught:
        open_teacher(CommandSpec(command=command))
    assert words in str(caught.value)


def test_a_program_that_is_not_there_is_named():
    teacher = open_teacher(CommandSpec(command="no-such-program {input} {output}"))
    with pytest.raises(TeacherError, match=r"no-such-program: cannot be run \(No such file"):
        teacher.convert(voice(0.2))


def test_nothing_is_left_in_the_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    with pytest.raises(TeacherError):
        open_teacher(spec(tmp_path, "raise SystemExit(1)")).convert(voice(0.2))
    assert os.listdir(tmp_path / "tmp") == []
