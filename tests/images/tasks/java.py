"""commons-cli 1.6.0, from Debian, without the null checks of CLI-283."""

from __future__ import annotations

from pathlib import Path

from tests.images import upstream
from tests.images.tasks.task import Task, apt, copy, edit, hunks_but, without

POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>commons-cli</groupId>
  <artifactId>commons-cli</artifactId>
  <version>1.6.0</version>
  <properties>
    <maven.compiler.source>8</maven.compiler.source>
    <maven.compiler.target>8</maven.compiler.target>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <dependencies>
    <dependency>
      <groupId>junit</groupId>
      <artifactId>junit</artifactId>
      <version>4.x</version>
      <scope>test</scope>
    </dependency>
  </dependencies>
</project>
"""
_MAIN = "src/main/java/org/apache/commons/cli/CommandLine.java"
_TESTS = "src/test/java/org/apache/commons/cli/CommandLineTest.java"


def _after(repo: Path) -> None:
    copy(upstream.debian("libcommons-cli-java", "1.6.0-1", "trixie"), repo, "src", "LICENSE.txt")
    (repo / "pom.xml").write_text(POM)


def _before(repo: Path) -> None:
    _after(repo)
    edit(
        repo / _MAIN,
        ("        if (arg != null) {\n            args.add(arg);\n        }\n", "        args.add(arg);\n"),
        (
            "        if (opt != null) {\n            options.add(opt);\n        }\n",
            "        options.add(opt);\n",
        ),
    )
    for name in ("testBuilderNullArgs", "testBuilderNullOption"):
        without(repo / _TESTS, f"    public void {name}() {{", "    @Test")


_MVN = "mvn -B -o -s /etc/maven/settings-debian.xml"

TASK = Task(
    name="commons-cli",
    language="java",
    install=(apt("openjdk-17-jdk-headless", "maven", "maven-debian-helper", "junit4"),),
    before=_before,
    after=_after,
    is_test=lambda name: name.startswith("src/test/"),
    command=f"{_MVN} test",
    parser="surefire",
    half=lambda gold: hunks_but(gold, "options.add(opt)"),
    problem="CLI-283: CommandLine.Builder fails where it is given null.",
    build=(f"RUN {_MVN} -q test-compile; true",),
    report=True,
)
