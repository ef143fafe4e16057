"""Commands of ``edge-vc``: one error format, verbs that are loaded on demand."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from difflib import get_close_matches
from importlib import import_module
from typing import Any, ClassVar, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from edge_vc.command_line.errors import EXIT_INPUT, EXIT_PIPE, error_net, fail
from edge_vc.command_line.output import given_arguments
from edge_vc_runtime.message import escape_unprintable, system_message
from edge_vc_runtime.outputs import check_given
from edge_vc_runtime.streams import discard_stdout, results_only
from edge_vc_runtime.telemetry import disable_telemetry
from edge_vc_runtime.termination import Termination

PROG = "edge-vc"
_WRITE_NOTHING = ("dry_run", "show")
"""Flags with which a verb writes nothing."""
_BRACES = str.maketrans("", "", "{}")


def verb_app(**settings: Any) -> typer.Typer:
    """Return an empty application in the style of every verb: plain text, no completion flags."""
    settings = {"add_completion": False} | settings
    return typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, **settings)


def notes(examples: str, exit_codes: str) -> str:
    """Return the end of a verb's help: example command lines and the meaning of exit codes."""
    lines = "\n".join(f"  {line}" for line in examples.strip().splitlines())
    return f"\b\nexamples:\n{lines}\n\nexit codes: {exit_codes}"


class _OneErrorFormat:
    """Usage errors as the board command prints them: one line, ``edge-vc VERB: error: ...``."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        escape_unprintable()
        disable_telemetry()
        alone = [] if prog_name in (None, PROG) else [prog_name]  # a verb's own application
        words = [PROG, *alone, *(sys.argv[1:] if args is None else args)]
        extra.setdefault("obj", {"words": words})
        run = super().main  # type: ignore[misc]
        if not standalone_mode:
            return run(args, prog_name, complete_var, False, windows_expand_args, **extra)
        try:
            code = run(args, prog_name, complete_var, False, windows_expand_args, **extra)
        except typer.Abort:
            sys.exit(130)
        except typer.TyperException as error:
            _refuse(error, prog_name or PROG)
        except BrokenPipeError:
            discard_stdout()
            sys.exit(EXIT_PIPE)
        except OSError as error:  # a help that cannot be printed
            discard_stdout()
            fail(prog_name or PROG, system_message(error))
            sys.exit(EXIT_INPUT)
        sys.exit(code if isinstance(code, int) else 0)


def _refuse(error: Any, prog: str) -> NoReturn:
    """Print the error and how to get the verb's help, and exit."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":  # its message is the whole help
        typer.echo(error.format_message(), err=True)
        sys.exit(error.exit_code)
    command = _command_name(context) if context is not None else prog
    fail(command, f"{_with_guess(error, context).rstrip('.')}; see {command} --help")
    sys.exit(error.exit_code)


def _with_guess(error: Any, context: Any) -> str:
    message: str = error.format_message()
    given = getattr(error, "option_name", "")
    if instead := getattr(getattr(context, "command", None), "removed", {}).get(given):
        return f"No such option: {given}; {instead}"
    if context is None or not given or getattr(error, "possibilities", None):
        return message
    flags = [flag for param in context.command.get_params(context) for flag in param.opts]
    near = get_close_matches(given, [flag for flag in flags if flag.startswith("-")], n=1)
    return f"{message}; did you mean {near[0]}?" if near else message


def _command_name(context: Any) -> str:
    path: str = context.command_path
    return path if path.split(" ")[0] == PROG else f"{PROG} {path}"


class Verb(_OneErrorFormat, TyperCommand):
    """One verb; errors that its user can fix end in one line and exit code 2."""

    resumes: ClassVar[bool] = False
    """Whether the same command resumes interrupted work."""
    passes_stdout: ClassVar[bool] = False
    """Whether another program writes to stdout in its place."""
    removed: ClassVar[Mapping[str, str]] = {}
    """Former options and their replacements."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return ``[OPTIONS] CORPUS``, with arguments in capitals as in the board command."""
        pieces = super().collect_usage_pieces(ctx)
        return [pieces[0], *(piece.upper().translate(_BRACES) for piece in pieces[1:])]

    def invoke(self, ctx: Any) -> Any:
        """Run the verb inside the error net."""
        words = ctx.find_root().obj["words"] if self.resumes and ctx.find_root().obj else ()
        stdout = nullcontext() if self.passes_stdout else results_only()
        with error_net(_command_name(ctx), words), Termination(), stdout:
            if not any(ctx.params.get(name) for name in _WRITE_NOTHING):
                check_given(given_arguments(self.params, ctx.params))
            return super().invoke(ctx)


class ResumableVerb(Verb):
    """A verb that resumes after an interruption."""

    resumes = True


class LazyVerb(TyperCommand):
    """A verb's name and help line; the verb itself is loaded when it is called."""

    def __init__(self, name: str, help: str, load: Callable[[], Any]) -> None:
        super().__init__(name, help=help, rich_markup_mode=None)
        self._load = load

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        """Load the verb and let it parse."""
        return self._load().make_context(info_name, args, parent, **extra)


def from_module(module: str) -> Callable[[], Any]:
    """Return a function that loads the command of a module's ``app``."""
    return lambda: typer.main.get_command(import_module(module).app)


class VerbGroup(_OneErrorFormat, TyperGroup):
    """A group whose verbs are loaded when they are called."""

    verbs: ClassVar[Mapping[str, Callable[[], TyperCommand]]] = {}
    """How to make each command, by name, in the order of the help."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, make in self.verbs.items():
            self.add_command(make(), name)
