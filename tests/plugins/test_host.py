from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from caw_toolkit.errors import CawError, CawUsageError
from caw_toolkit.hookspecs import ScaleTrained, hookimpl
from caw_toolkit.parts import PartKind, find_part, part_names
from caw_toolkit.plugins import PluginError, PluginHost, PluginRecord, get_host
from caw_toolkit.plugins.discovery import discover
from fake_plugins import BROKEN, FakeEntryPoint, install, install_broken, module, plugin

EVENT = ScaleTrained(index=0, count=3, rate=500, steps=10, seconds=1.0, losses={"adversarial": 0.5})


@pytest.fixture
def fresh_host() -> Iterator[None]:
    get_host.cache_clear()
    yield
    get_host.cache_clear()


def registering(hook: str, *items: tuple[Any, ...], **keywords: Any) -> Any:
    def register_items(register: Any) -> None:
        for item in items:
            register(*item, **keywords)

    return plugin(**{hook: register_items})


def records(host: PluginHost) -> dict[str, PluginRecord]:
    return {record.name: record for record in host.plugins}


def test_registrations_are_recorded_by_plugin(tmp_path: Path) -> None:
    preset = tmp_path / "loud.toml"
    preset.touch()
    everything = plugin(
        register_commands=lambda register: register("shout", click.Command("shout", short_help="Be loud.")),
        register_processors=lambda register: register("shouter", "os.path:join", summary="Loud."),
        register_objectives=lambda register: register("loudly", "os.path:join"),
        register_presets=lambda register: register("loud", preset),
        scale_trained=lambda event: None,
    )
    host = PluginHost([FakeEntryPoint("shout", everything, "caw-shout", "1.2")])
    assert host.problems == ()
    assert host.plugins == (
        PluginRecord(
            name="shout",
            distribution="caw-shout",
            version="1.2",
            hooks=(
                "register_commands",
                "register_processors",
                "register_objectives",
                "register_presets",
                "scale_trained",
            ),
            items={
                "commands": ("shout",),
                "processors": ("shouter",),
                "generators": (),
                "objectives": ("loudly",),
                "presets": ("loud",),
                "evaluations": (),
                "panels": (),
            },
        ),
    )
    assert host.items("command")["shout"].summary == "Be loud."
    assert host.items("processor")["shouter"].summary == "Loud."
    assert host.preset_paths == {"loud": preset}


def test_an_instance_can_be_a_plugin() -> None:
    class Plugin:
        @hookimpl
        def register_processors(self, register: Any) -> None:
            register("join", "os.path:join")

    host = PluginHost([FakeEntryPoint("object", Plugin())])
    assert host.problems == () and list(host.items("processor")) == ["join"]


@pytest.mark.parametrize(
    ("entry_point", "message"),
    [
        (FakeEntryPoint("x", error=ImportError("no torch")), "ImportError: no torch"),
        (FakeEntryPoint("x", error=OSError("libc10_cuda.so:\n cannot open")), "OSError: libc10_cuda.so: cannot open"),
        (FakeEntryPoint("x", error=SystemExit(3)), "SystemExit: 3"),
        (FakeEntryPoint("x", error=RecursionError()), "RecursionError"),
        (FakeEntryPoint("x", None), "must lead to a module or an instance"),
        (FakeEntryPoint("x", dict), "must lead to a module or an instance"),
        (FakeEntryPoint("x", plugin(register_commands=lambda register, more: None)), "more"),
        (FakeEntryPoint("x", module(caw_api_version=1)), "version 1 of the plugin API; this toolkit has version 2"),
        (FakeEntryPoint("x", module(caw_api_version="1")), "caw_api_version is '1', not an integer"),
        (FakeEntryPoint("x", module(caw_api_version=True)), "caw_api_version is True, not an integer"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_costs_only_itself(
    entry_point: FakeEntryPoint, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    good = FakeEntryPoint("good", registering("register_processors", ("join", "os.path:join")))
    host = PluginHost([entry_point, good])
    (problem,) = host.problems
    assert problem.fatal
    assert message in str(problem) and "\n" not in str(problem)
    assert "plugin 'x' (fake 1.0): " in str(problem)
    assert message in (records(host)["x"].error or "").replace("\n ", " ")
    assert records(host)["good"].items["processors"] == ("join",)
    assert [record.getMessage() for record in caplog.records] == [str(problem)]


def test_the_declared_version_of_the_api_may_be_the_hosts() -> None:
    assert PluginHost([FakeEntryPoint("x", module(caw_api_version=2))]).problems == ()


def test_a_hook_that_raises_keeps_what_it_had_registered() -> None:
    def register_processors(register: Any) -> None:
        register("join", "os.path:join")
        raise KeyError("typo")

    host = PluginHost([FakeEntryPoint("x", plugin(register_processors=register_processors))])
    assert list(host.items("processor")) == ["join"]
    (record,) = host.plugins
    assert record.error is None
    assert record.problems == ("register_processors failed: KeyError: 'typo'",)


def test_wrong_use_of_the_callback_is_the_plugins_problem() -> None:
    host = PluginHost([FakeEntryPoint("x", plugin(register_presets=lambda register: register("a", None)))])
    assert "register_presets failed: TypeError" in str(host.problems[0])


@pytest.mark.parametrize(
    ("hook", "item", "message"),
    [
        ("register_commands", ("train", "a:b"), "the engine (caw-toolkit"),
        ("register_presets", ("paper", __file__), "the engine (caw-toolkit"),
        ("register_commands", ("Shout", "a:b"), "command name 'Shout' refused: use lower-case letters"),
        ("register_commands", ("--shout", "a:b"), "refused: use lower-case letters"),
        ("register_processors", (7, "a:b"), "processor name 7 refused"),
        ("register_processors", ("a", "no.attribute"), "target 'no.attribute' is not of the form"),
        ("register_processors", ("a", dict), "is not of the form 'package.module:attribute'"),
        ("register_objectives", ("a", "a b:c"), "objective 'a' refused: target 'a b:c'"),
        ("register_objectives", ("staged", "a:b"), "the engine (caw-toolkit"),
        ("register_generators", ("flow", "a:b"), "the engine (caw-toolkit"),
        ("register_presets", ("a", "missing.toml"), "preset 'a' refused: file 'missing.toml' not found"),
        ("register_evaluations", ("a", dict), "evaluation 'a' refused: target"),
    ],
)
def test_an_item_that_is_refused_costs_only_itself(hook: str, item: tuple[Any, ...], message: str) -> None:
    good = ("good", __file__ if hook == "register_presets" else "os.path:join")
    point = FakeEntryPoint("x", registering(hook, item, good))
    host = PluginHost([point], reserved_commands=["train"], reserved_presets=["paper"])
    (problem,) = host.problems
    assert message in str(problem) and not problem.fatal
    (record,) = host.plugins
    assert record.error is None
    assert sum(record.items.values(), ()) == ("good",)


@pytest.mark.parametrize("summary", [None, 7, b"Loud."])
def test_a_summary_that_is_no_text_is_refused(summary: Any) -> None:
    point = FakeEntryPoint("x", registering("register_commands", ("shout", "a:b"), summary=summary))
    host = PluginHost([point])
    assert f"command 'shout' refused: its summary must be text, not {summary!r}" in str(host.problems[0])
    assert not host.items("command")


@pytest.mark.parametrize(
    ("hook", "kind"),
    [
        ("register_commands", "commands"),
        ("register_processors", "processors"),
        ("register_generators", "generators"),
        ("register_objectives", "objectives"),
        ("register_presets", "presets"),
        ("register_evaluations", "evaluations"),
        ("register_panels", "panels"),
    ],
)
def test_a_name_that_is_taken_is_refused_naming_both_distributions(hook: str, kind: str) -> None:
    target = __file__ if hook == "register_presets" else "os.path:join"
    points = [
        FakeEntryPoint("second", registering(hook, ("same", target), ("own", target)), "caw-b", "2.0"),
        FakeEntryPoint("first", registering(hook, ("same", target)), "caw-a", "1.0"),
    ]
    host = PluginHost(points)
    (problem,) = host.problems
    assert "plugin 'second' (caw-b 2.0): " in str(problem)
    assert "plugin 'first' (caw-a 1.0) has registered this name already" in str(problem)
    assert host.items(kind.removesuffix("s"))["same"].origin.distribution == "caw-a"
    assert records(host)["second"].items[kind] == ("own",)


def test_a_plugin_name_that_is_taken_is_refused_naming_both_distributions() -> None:
    points = [
        FakeEntryPoint("same", registering("register_processors", ("b", "os.path:join")), "caw-b", "2.0"),
        FakeEntryPoint("same", registering("register_processors", ("a", "os.path:join")), "caw-a", "1.0"),
    ]
    host = PluginHost(points)
    (problem,) = host.problems
    assert problem.fatal
    assert "refused: caw-a 1.0 and caw-b 2.0 both have a plugin named 'same'" in str(problem)
    assert list(host.items("processor")) == ["a"]
    added = [(record.distribution, record.items.get("processors", ())) for record in host.plugins]
    assert added == [("caw-a", ("a",)), ("caw-b", ())]


def test_nobody_takes_a_name_from_the_engines_distribution() -> None:
    points = [
        FakeEntryPoint("task", registering("register_commands", ("task", "a:b")), "aaa"),
        FakeEntryPoint("task", registering("register_commands", ("task", "c:d")), "caw-toolkit"),
    ]
    host = PluginHost(points)
    assert host.items("command")["task"].origin.distribution == "caw-toolkit"


def test_an_entry_point_that_is_listed_twice_counts_once() -> None:
    point = FakeEntryPoint("x", plugin())
    host = PluginHost([point, point])
    assert host.problems == () and len(host.plugins) == 1


def test_hooks_of_other_names_and_without_marker_are_reported() -> None:
    made = plugin(register_comands=lambda register: None)
    made.register_presets = lambda register: None  # type: ignore[attr-defined]
    messages = [problem.message for problem in PluginHost([FakeEntryPoint("x", made)]).problems]
    assert messages == [
        "unknown hook 'register_comands'; did you mean 'register_commands'?",
        "register_presets lacks the @hookimpl marker and is never called",
    ]


def test_disabled_plugins_are_listed_and_not_imported() -> None:
    points = [FakeEntryPoint("a", error=AssertionError("imported")), FakeEntryPoint("b", plugin())]
    host = PluginHost(points, disabled=["a"])
    assert host.problems == ()
    assert [(record.name, record.disabled) for record in host.plugins] == [("a", True), ("b", False)]
    assert all(record.disabled for record in PluginHost(points, disabled=["*"]).plugins)


def test_disabling_an_unknown_plugin_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    PluginHost([FakeEntryPoint("inpainting", plugin())], disabled=["inpaintin"])
    assert caplog.messages == ["no plugin named 'inpaintin' to disable; did you mean 'inpainting'?"]


@pytest.mark.parametrize(
    "point",
    [
        FakeEntryPoint("x", error=ImportError("no torch")),
        FakeEntryPoint("x", module(caw_api_version=1)),
        FakeEntryPoint("x", registering("register_processors", ("a", "nonsense"))),
        FakeEntryPoint("x", plugin(register_commands=lambda register: 1 / 0)),
    ],
)
def test_strict_raises_the_first_problem(point: FakeEntryPoint) -> None:
    with pytest.raises(PluginError, match=r"plugin 'x' \(fake 1.0\): "):
        PluginHost([point], strict=True)


def test_lazy_targets_are_imported_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "caw_lazy_target.py").write_text("class Shout: pass\nnumber = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    items = [
        ("good", "caw_lazy_target:Shout"),
        ("bad", "caw_lazy_target:Missing"),
        ("gone", "caw_no_such_module:Shout"),
        ("number", "caw_lazy_target:number"),
    ]
    host = PluginHost([FakeEntryPoint("x", registering("register_processors", *items))])
    assert host.processor("good").__name__ == "Shout"
    with pytest.raises(PluginError, match=r"plugin 'x' \(fake 1.0\): processor 'bad' could not be loaded"):
        host.processor("bad")
    with pytest.raises(PluginError, match="ModuleNotFoundError"):
        host.processor("gone")
    with pytest.raises(PluginError, match="cannot be called: 1"):
        host.processor("number")
    with pytest.raises(CawUsageError, match="no plugin has a processor named 'god'; did you mean 'good'"):
        host.processor("god")


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("caw_broken_parts:Missing", "could not be loaded: AttributeError"),
        ("caw_exiting_parts:Noise", "could not be loaded: SystemExit: no such luck"),
        ("caw_broken_parts:number", "cannot be called: 1"),
    ],
)
@pytest.mark.parametrize("kind", ["generator", "objective"])
def test_broken_parts_of_the_engine_name_their_plugin(
    kind: PartKind, target: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "caw_broken_parts.py").write_text("number = 1\n")
    (tmp_path / "caw_exiting_parts.py").write_text("raise SystemExit('no such luck')\n")
    monkeypatch.syspath_prepend(tmp_path)
    host = PluginHost([FakeEntryPoint("x", registering(f"register_{kind}s", ("broken", target)))])
    monkeypatch.setattr("caw_toolkit.plugins.get_host", lambda: host)
    part = find_part(kind, "broken")
    assert part is not None
    assert (part.distribution, part.version, part.is_own) == ("fake", "1.0", False)
    assert "broken" in part_names(kind)
    with pytest.raises(PluginError, match=re.escape(f"plugin 'x' (fake 1.0): {kind} 'broken' {reason}")):
        part.load()


def test_commands_may_be_lazy_and_must_be_click_commands() -> None:
    items = [("lazy", "caw_toolkit.cli.plugins_command:plugins"), ("wrong", "os.path:join")]
    host = PluginHost([FakeEntryPoint("x", registering("register_commands", *items))])
    assert isinstance(host.command("lazy"), click.Command)
    with pytest.raises(PluginError, match="is no click command"):
        host.command("wrong")


def test_what_is_registered_is_imported_on_request() -> None:
    host = PluginHost([FakeEntryPoint("x", registering("register_objectives", ("join", "os.path:join")))])
    assert host.load("objective", "join")("a", "b") == str(Path("a", "b"))


def test_messages_of_the_engine_pass_a_lazy_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "from caw_toolkit.errors import CawError\nraise CawError('install torchaudio')\n"
    (tmp_path / "caw_needs_torchaudio.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    host = PluginHost([FakeEntryPoint("x", registering("register_processors", ("a", "caw_needs_torchaudio:A")))])
    with pytest.raises(CawError, match=r"^install torchaudio$"):
        host.processor("a")


def test_a_trained_scale_reaches_every_plugin_despite_a_broken_one() -> None:
    heard: list[ScaleTrained] = []
    points = [
        FakeEntryPoint("a", plugin(scale_trained=lambda event: 1 / 0)),
        FakeEntryPoint("b", plugin(scale_trained=lambda event: heard.append(event))),
    ]
    host = PluginHost(points)
    host.notify_scale_trained(EVENT)
    host.notify_scale_trained(EVENT)
    assert heard == [EVENT, EVENT]
    assert [problem.message for problem in host.problems] == [
        "scale_trained failed: ZeroDivisionError: division by zero"
    ]


def test_plugins_cannot_change_what_others_are_told() -> None:
    heard: list[Any] = []

    def forget(info: dict[str, Any]) -> None:
        info["scales"].clear()
        info.clear()

    def forget_losses(event: ScaleTrained) -> None:
        event.losses.clear()  # type: ignore[attr-defined]

    points = [
        FakeEntryPoint("a", plugin(describe_model=forget, scale_trained=forget_losses)),
        FakeEntryPoint(
            "b",
            plugin(describe_model=lambda info: heard.append(info), scale_trained=lambda event: heard.append(event)),
        ),
    ]
    host = PluginHost(points)
    info = {"scales": [500]}
    host.describe_model(info)
    host.notify_scale_trained(EVENT)
    assert host.problems == ()
    assert heard == [{"scales": [500]}, EVENT] and info == {"scales": [500]} and EVENT.losses == {"adversarial": 0.5}


def test_what_plugins_print_stays_out_of_standard_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = (
        "from caw_toolkit.hookspecs import hookimpl\n"
        "print('imported')\n"
        "@hookimpl\n"
        "def register_presets(register):\n"
        "    print('called')\n"
    )
    install(tmp_path, "caw-chatty", {"chatty": source})
    monkeypatch.syspath_prepend(tmp_path)
    points = [point for point in discover()[0] if point.name == "chatty"]
    assert PluginHost(points).problems == ()
    output = capsys.readouterr()
    assert output.out == "" and output.err == "imported\ncalled\n"


def test_interruptions_are_not_swallowed() -> None:
    def scale_trained(event: ScaleTrained) -> None:
        raise KeyboardInterrupt

    host = PluginHost([FakeEntryPoint("a", plugin(scale_trained=scale_trained))])
    with pytest.raises(KeyboardInterrupt):
        host.notify_scale_trained(EVENT)


def test_descriptions_of_a_model_are_collected() -> None:
    points = [
        FakeEntryPoint("a", plugin(describe_model=lambda info: {"rate": info["rate"]})),
        FakeEntryPoint("b", plugin(describe_model=lambda info: None)),
        FakeEntryPoint("c", plugin(describe_model=lambda info: "loud")),
        FakeEntryPoint("d", plugin(describe_model=lambda: {})),
    ]
    host = PluginHost(points)
    assert host.describe_model({"rate": 500}) == {"a": {"rate": "500"}}
    assert [str(problem.message) for problem in host.problems] == [
        "describe_model returned str, not a mapping of text to text"
    ]


@pytest.mark.usefixtures("fresh_host")
def test_installed_distributions_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(
        tmp_path,
        "caw-shout",
        {
            "shout": "from caw_toolkit.hookspecs import hookimpl\n"
            "@hookimpl\n"
            "def register_processors(register):\n"
            "    register('shout', 'os.path:join')\n"
        },
    )
    install_broken(tmp_path)
    malformed = tmp_path / "malformed-1.0.dist-info"
    malformed.mkdir()
    (malformed / "METADATA").write_text("Metadata-Version: 2.1\nName: malformed\nVersion: 1.0\n")
    (malformed / "entry_points.txt").write_text("[caw_toolkit]\nnonsense without an equals sign\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("CAW_STRICT_PLUGINS", raising=False)
    monkeypatch.setenv("CAW_DISABLE_PLUGINS", "futuristic, ")
    host = get_host()
    assert get_host() is host
    found = records(host)
    assert found["shout"].items["processors"] == ("shout",) and found["shout"].distribution == "caw-shout"
    assert found["futuristic"].disabled
    for _, name, _ in BROKEN:
        assert found[name].disabled or found[name].error or found[name].problems
    assert any("plugin '?' (malformed): broken metadata" in str(problem) for problem in host.problems)


@pytest.mark.usefixtures("fresh_host")
def test_the_environment_can_make_problems_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_broken(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("CAW_STRICT_PLUGINS", "1")
    with pytest.raises(PluginError):
        get_host()


def test_tracebacks_are_logged_for_debugging(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "caw_toolkit")
    PluginHost([FakeEntryPoint("x", error=ImportError("no torch"))])
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.DEBUG]
    assert caplog.records[1].exc_info


@pytest.mark.parametrize("name", ["tape", "stop", "tape-stop"])
def test_a_plugin_is_disabled_by_its_name_or_by_what_it_adds(name: str, caplog: pytest.LogCaptureFixture) -> None:
    adding = plugin(
        register_commands=lambda register: register("stop", "os.path:join"),
        register_processors=lambda register: register("tape", "os.path:join"),
        register_objectives=lambda register: register("other", "os.path:join"),
    )
    after = FakeEntryPoint("z", registering("register_commands", ("stop", "os.path:join")), "caw-z")
    host = PluginHost([FakeEntryPoint("tape-stop", adding), after], disabled=[name])
    assert caplog.messages == [] and host.problems == ()
    assert records(host)["tape-stop"].disabled and not any(records(host)["tape-stop"].items.values())
    if name == "stop":  # both add that
        assert not host.items("command")
    else:
        assert host.items("command")["stop"].origin.distribution == "caw-z"


def test_what_is_disabled_by_its_command_is_told_nothing() -> None:
    told: list[ScaleTrained] = []
    listening = plugin(
        register_commands=lambda register: register("stop", "os.path:join"),
        scale_trained=lambda event: told.append(event),
    )
    PluginHost([FakeEntryPoint("x", listening)], disabled=["stop"]).notify_scale_trained(EVENT)
    assert told == []
