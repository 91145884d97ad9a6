"""Verbs to functions. Nothing heavy is imported before a verb is chosen; no logic lives here."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from realtime.errors import RealtimeError

__all__ = ["main", "parser"]

INTERRUPTED = 130

_EPILOG = """examples:
  realtime run                                     the first camera, a persona, http://127.0.0.1:8080
  realtime run --source clip.mp4 --face me.png     a clip as the camera, a picture as the face
  realtime run --sink virtualcam: --sink webrtc:   a call, and the page to look at yourself
  realtime convert clip.mp4 -o swapped.mp4         a file, every frame, with its sound
  realtime check                                   what works on this machine, and how to cure what does not

exit codes: 0 done, 1 a check failed, 2 usage or configuration, 3 device, 4 model or backend, 130 interrupted
"""

_BENCH = """Figures as JSON on stdout.

  realtime bench [live] CLIP                     the live path at the clip's own pace, as a call sees it
  realtime bench unpaced CLIP                    every frame as fast as it goes: milliseconds of each stage
  realtime bench tracking CLIP                   detector calls, error, wander at rest, lag in motion
  realtime bench identity CLIP ... --face F ...  likeness of the output to the face put on and to the wearer
  realtime bench start [CLIP]                    milliseconds from the command to the first swapped frame
  realtime bench chain --stand-ins               the neural chain without inference, and the peers' pasting
  realtime bench late [CLIP]                     a swapper slower than the camera: rate, age, where faces lie
  realtime bench change [CLIP]                   another face by command: until it is seen, frames it costs
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a verb; returns the exit code."""
    arguments = parser().parse_args(argv)
    module, function = arguments.function.split(":")
    try:
        run = getattr(importlib.import_module(module), function)
        code: int = run(arguments)
    except RealtimeError as error:
        print(error.told(), file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output left, as `head` does; Python would complain again while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="realtime",
        description="Puts another face on the person before the camera, live.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = top.add_subparsers(metavar="VERB", required=True)
    _run(verbs)
    _convert(verbs)
    _bench(verbs)
    _inspect(verbs)
    _models(verbs)
    _faces(verbs)
    _config(verbs)
    return top


Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _run(verbs: Verbs) -> None:
    run = verbs.add_parser("run", help="the live program")
    run.set_defaults(function="realtime.commands.run:run")
    _configuration(run)
    run.add_argument("--source", metavar="URI", help="camera:0, camera:NAME, clip.mp4, still:, testcard:")
    run.add_argument(
        "--sink", metavar="URI", action="append", help="virtualcam:, webrtc:, file:out.mp4, null:"
    )
    run.add_argument("--loop", action="store_true", default=None, help="begin a clip anew at its end")
    run.add_argument("--size", metavar="WxH", help="size asked of the camera (1280x720)")
    run.add_argument("--fps", type=float, metavar="N", help="rate asked of the camera (30)")
    run.add_argument("--host", metavar="ADDRESS", help="where the page listens (127.0.0.1)")
    run.add_argument("--port", type=int, metavar="N", help="port of the page (8080)")
    run.add_argument("--headless", action="store_true", help="log lines only; nobody is asked anything")
    run.add_argument("--frames", type=_count, metavar="N", help="end after N frames")
    run.add_argument("--seconds", type=_seconds, metavar="S", help="end after S seconds of live picture")
    run.add_argument("--report", type=Path, metavar="FILE", help="write the figures as JSON at the end")


def _convert(verbs: Verbs) -> None:
    convert = verbs.add_parser("convert", help="a file, every frame, with its sound")
    convert.set_defaults(function="realtime.commands.convert:convert")
    convert.add_argument("input", metavar="IN", type=Path)
    convert.add_argument("-o", "--output", metavar="OUT", type=Path, required=True)
    _configuration(convert)
    convert.add_argument("--frames", type=_count, metavar="N", help="end after N frames")
    convert.add_argument("--headless", action="store_true", help="log lines only; nobody is asked anything")
    convert.add_argument("--report", type=Path, metavar="FILE", help="write the figures as JSON at the end")


def _bench(verbs: Verbs) -> None:
    bench = verbs.add_parser(
        "bench",
        help="figures as JSON: live (default), unpaced, tracking, identity, start, chain, late, change",
        description=_BENCH,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    bench.set_defaults(function="realtime.commands.bench:bench")
    bench.add_argument("what", metavar="[KIND] CLIP", nargs="*", help="a kind and clips; still: by default")
    _configuration(bench)
    bench.add_argument(
        "--seconds", type=_seconds, metavar="S", help="how long (live: 10; else: the whole clip)"
    )
    bench.add_argument(
        "--embedder", type=Path, metavar="ONNX", help="identity: the network that tells faces apart"
    )
    bench.add_argument(
        "--runs",
        type=_count,
        metavar="N",
        help="start: how many processes (7); change: how many commands (6)",
    )
    bench.add_argument("--cost-ms", type=float, metavar="MS", help="late: what the swapper takes (200)")
    bench.add_argument("--stand-ins", action="store_true", help="chain: networks whose answers are there")
    bench.add_argument("--face-px", type=_count, metavar="N", help="chain: width of the faces (440)")
    bench.add_argument("--faces", type=_count, metavar="N", help="chain: what so many cost beside one")
    bench.add_argument("--rounds", type=_count, metavar="N", help="chain: how often, in turns (60)")
    bench.add_argument(
        "--size", metavar="WxH", help="size of still: and testcard: (1280x720), of chain (1920x1080)"
    )
    bench.add_argument("--fps", type=float, metavar="N", help="rate of still: and testcard: (30)")


def _inspect(verbs: Verbs) -> None:
    devices = verbs.add_parser("devices", help="cameras, virtual cameras and backends")
    devices.set_defaults(function="realtime.commands.devices:devices")
    devices.add_argument("--json", action="store_true", help="for programs")
    check = verbs.add_parser("check", help="a doctor: one line a check, with its cure")
    check.set_defaults(function="realtime.commands.check:check")


def _models(verbs: Verbs) -> None:
    actions = verbs.add_parser(
        "models", help="the models: list, fetch, verify, add, remove, build, bench"
    ).add_subparsers(metavar="ACTION", required=True)
    listed = actions.add_parser("list", help="every model that is known, its licence and its state")
    listed.set_defaults(function="realtime.commands.models:models_list")
    listed.add_argument("--role", metavar="ROLE", help="only detector, landmarker, swapper, enhancer, ...")
    listed.add_argument("--json", action="store_true", help="for programs")
    fetch = actions.add_parser("fetch", help="download and check models")
    fetch.set_defaults(function="realtime.commands.models:models_fetch")
    fetch.add_argument("names", metavar="NAME", nargs="*", help="default: the default chain")
    fetch.add_argument(
        "--accept-licence",
        metavar="LICENCE",
        action="append",
        default=[],
        help="accept a restrictive licence without being asked; repeatable",
    )
    fetch.add_argument(
        "--trust", action="store_true", help="take a file whose checksum nobody knows, and remember it"
    )
    verify = actions.add_parser("verify", help="compare the files with their checksums")
    verify.set_defaults(function="realtime.commands.models:models_verify")
    add = actions.add_parser("add", help="keep a model file of your own, by name")
    add.set_defaults(function="realtime.commands.models:models_add")
    add.add_argument("file", metavar="FILE", type=Path)
    add.add_argument("--family", metavar="FAMILY", required=True, help="how it is fed: inswapper, ghost, ...")
    add.add_argument("--name", metavar="NAME", help="what to call it (the file's own name)")
    add.add_argument(
        "--needs",
        metavar="NAME",
        action="append",
        default=[],
        help="your own recogniser or converter, in place of the family's; add it first; repeatable",
    )
    remove = actions.add_parser("remove", help="delete a model's file, added or fetched")
    remove.set_defaults(function="realtime.commands.models:models_remove")
    remove.add_argument("name", metavar="NAME")
    _model_builds(actions)


def _model_builds(actions: Verbs) -> None:
    build = actions.add_parser("build", help="make a model in FP16 or INT8, checked against FP32")
    build.set_defaults(function="realtime.commands.models_build:models_build")
    build.add_argument("model", metavar="NAME|FILE", help="a model that is here, a stand-in, or a file")
    build.add_argument("--precision", choices=("fp16", "int8"), required=True)
    build.add_argument(
        "--for", dest="target", choices=("cpu", "tensorrt"), default="cpu", help="who runs it (cpu)"
    )
    build.add_argument("--calibration", metavar="FOLDER", help="pictures like those it will see (the still)")
    build.add_argument("--samples", type=_count, metavar="N", default=64, help="pictures taken of it (64)")
    build.add_argument("--format", choices=("onnx", "ir"), help="onnx, or OpenVINO's (as the original)")
    bench = actions.add_parser("bench", help="time models, and the builds beside them, on every backend")
    bench.set_defaults(function="realtime.commands.models_bench:models_bench")
    bench.add_argument("names", metavar="NAME|FILE", nargs="*", help="default: the default chain")
    bench.add_argument("--stand-ins", action="store_true", help="networks of usual sizes, random weights")
    bench.add_argument("--in-turn", action="store_true", help="what two models lose when called in turn")
    bench.add_argument("--runs", type=_count, metavar="N", help="of each (as many as six seconds allow)")
    bench.add_argument(
        "--backend", metavar="NAME[:DEVICE]", action="append", help="only this one; repeatable"
    )
    bench.add_argument("--profile", action="store_true", help="the time by operator, too")
    bench.add_argument(
        "--trace", type=Path, metavar="FOLDER", help="keep ONNX Runtime's trace there, and print the profile"
    )
    bench.add_argument("--json", action="store_true", help="for programs")


def _faces(verbs: Verbs) -> None:
    actions = verbs.add_parser("faces", help="the faces to put on: list, add, remove, clear").add_subparsers(
        metavar="ACTION", required=True
    )
    listed = actions.add_parser("list", help="every persona, and the faces you added")
    listed.set_defaults(function="realtime.commands.faces:faces_list")
    listed.add_argument("--contact-sheet", type=Path, metavar="PNG", help="draw them all into a picture")
    listed.add_argument("--on", metavar="CLIP|PICTURE", help="what to draw them on (the built-in still)")
    added = actions.add_parser("add", help="keep a face, from pictures of one person, for --face NAME")
    added.set_defaults(function="realtime.commands.face_library:faces_add")
    added.add_argument("name", metavar="NAME")
    added.add_argument("pictures", metavar="PICTURE", nargs="+", help="a picture, or a folder of them")
    added.add_argument(
        "--note", metavar="TEXT", help="who agreed to this, when and how; counts as your word that they did"
    )
    removed = actions.add_parser("remove", help="delete an added face and its pictures")
    removed.set_defaults(function="realtime.commands.face_library:faces_remove")
    removed.add_argument("name", metavar="NAME")
    cleared = actions.add_parser("clear", help="delete what is kept of pictures to start faster")
    cleared.set_defaults(function="realtime.commands.face_library:faces_clear")


def _config(verbs: Verbs) -> None:
    actions = verbs.add_parser("config", help="the configuration: show, schema").add_subparsers(
        metavar="ACTION", required=True
    )
    show = actions.add_parser("show", help="every value in force and where it comes from")
    show.set_defaults(function="realtime.commands.config:config_show")
    _configuration(show)
    schema = actions.add_parser("schema", help="the JSON Schema of a configuration file")
    schema.set_defaults(function="realtime.commands.config:config_schema")


def _configuration(verb: argparse.ArgumentParser) -> None:
    """Flags that overrule the configuration file."""
    verb.add_argument("--preset", metavar="NAME", help="call, stream, small")
    verb.add_argument("--config", type=Path, metavar="FILE", help="a TOML file")
    verb.add_argument(
        "--face",
        metavar="URI",
        action="append",
        help="persona:NAME, a picture, a folder of pictures of one person, or a name from faces; repeatable",
    )
    verb.add_argument("--who", metavar="WHO", help="many, one, left-to-right, reference: who gets one (many)")
    verb.add_argument(
        "--others",
        metavar="WHAT",
        help="cover, blur, pixel, persona:NAME, or alone, which shows them bare: people who get none (cover)",
    )
    verb.add_argument(
        "--reference",
        metavar="URI",
        action="append",
        help="--who reference: a picture of who gets the face given by --face; one for each, in their order",
    )
    verb.add_argument("--recogniser", metavar="NAME", help="what tells people apart (the best that is here)")
    verb.add_argument("--swapper", metavar="NAME", help="mesh, or a swapper by `realtime models list` (mesh)")
    verb.add_argument(
        "--fidelity", metavar="F", help="0 like the wearer, 1 less like them than anybody (0.5)"
    )
    verb.add_argument("--boost", metavar="N", help="so many times the swapper's own resolution (1)")
    verb.add_argument("--occlusion", metavar="on|off", help="hands and hair stay before the face (on)")
    verb.add_argument(
        "--mask",
        metavar="NAME",
        action="append",
        help="a mask by `realtime models list`, beside box, hull, own and built-in; repeatable",
    )
    verb.add_argument(
        "--enhancer", metavar="NAME", help="none, detail, or an enhancer by `realtime models list` (none)"
    )
    verb.add_argument("--blend", metavar="F", help="how much of the enhancer's work shows, 0 to 1 (0.8)")
    verb.add_argument(
        "--late", metavar="WHEN", help="auto, always, never: slow faces are laid on newer frames (auto)"
    )
    verb.add_argument(
        "--pipeline-depth", metavar="N", help="frames in flight: 2 tracks one while one is painted (1)"
    )
    verb.add_argument(
        "--backend", metavar="NAME", help="openvino, onnx, tensorrt, auto, or NAME/DEVICE (openvino)"
    )
    verb.add_argument("--device", metavar="NAME", help="CPU, GPU, NPU, AUTO, CUDA:1 (its first)")
    verb.add_argument(
        "--precision", metavar="NAME", help="fp32, fp16, int8, or auto: a build where it is faster (auto)"
    )
    verb.add_argument(
        "--on-fault", metavar="POLICY", help="hold, card, blur, raw: what shows when the swap fails"
    )
    verb.add_argument("--mark", metavar="on|off", help="the visible AI mark (on)")
    verb.add_argument("--log-level", metavar="LEVEL", help="debug, info, warning, error")


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 7 * 86_400:
        raise argparse.ArgumentTypeError("must be more than 0 and at most a week")
    return value
