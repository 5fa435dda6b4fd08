"""commons-cli 1.6.0, from Debian, without the null checks of CLI-283; JUnit 5 and 4 in Surefire,
which prints no test that passes."""

from __future__ import annotations

from pathlib import Path

from tests.images import upstream
from tests.images.tasks.task import Task, apt, copy, cut, edit

# Debian's repository has one version of each artifact, which it calls `debian`.
_POM = """\
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
      <groupId>org.junit.jupiter</groupId>
      <artifactId>junit-jupiter</artifactId>
      <version>debian</version>
      <scope>test</scope>
    </dependency>
    <dependency>
      <groupId>org.junit.vintage</groupId>
      <artifactId>junit-vintage-engine</artifactId>
      <version>debian</version>
      <scope>test</scope>
    </dependency>
  </dependencies>
</project>
"""
_MAIN = "src/main/java/org/apache/commons/cli/CommandLine.java"
_TESTS = "src/test/java/org/apache/commons/cli/CommandLineTest.java"
_ARG = "        if (arg != null) {\n            args.add(arg);\n        }\n"
_OPT = "        if (opt != null) {\n            options.add(opt);\n        }\n"
_MVN = "mvn -B -o -s /etc/maven/settings-debian.xml"


def _fixed(repo: Path) -> None:
    copy(upstream.debian("libcommons-cli-java", "1.6.0", "trixie"), repo, "src", "LICENSE.txt")
    (repo / "pom.xml").write_text(_POM)


def _broken(repo: Path) -> None:
    _half(repo)
    edit(repo / _MAIN, (_ARG, "        args.add(arg);\n"))
    for name in ("testBuilderNullArgs", "testBuilderNullOption"):
        cut(repo / _TESTS, (f"    @Test\n    public void {name}() {{", "    }"))


def _half(repo: Path) -> None:
    edit(repo / _MAIN, (_OPT, "        options.add(opt);\n"))


TASK = Task(
    name="commons-cli",
    language="java",
    problem="CLI-283: null in CommandLine.Builder\n\naddArg(null) and addOption(null) must do "
    "nothing; they lead to a NullPointerException later.",
    install=(apt("openjdk-17-jdk-headless", "maven", "maven-debian-helper", "junit5"),),
    fixed=_fixed,
    broken=_broken,
    half=_half,
    half_fails=("org.apache.commons.cli.CommandLineTest.testBuilderNullOption",),
    tests=("src/test/",),
    command=f"{_MVN} test",
    parser="surefire",
    build=(f"RUN {_MVN} -q test-compile",),
    report="surefire",
    quiet=True,
)
