"""The profiles. To add a language is to add one here."""

from __future__ import annotations

from velora.languages.profile import Profile

NEUTRAL = Profile(name="", display="")

PYTHON = Profile(
    name="python",
    display="Python",
    aliases=("py", "python3", "cpython"),
    reproduction="`python FILE`",
    tests=("test_*.py", "*_test.py", "tests/", "conftest.py"),
    runner=(
        "conftest.py",
        "pytest.ini",
        ".pytest.ini",
        "tox.ini",
        "noxfile.py",
        "sitecustomize.py",
        "usercustomize.py",
        "*.pth",
        "pytest.py",
        "_pytest/",
        "unittest.py",
        "unittest/",
        ".coveragerc",
    ),
    build=("pyproject.toml", "setup.cfg", "setup.py", "Makefile"),
    activation=(
        'for f in /saved/ENV /saved/*/ENV; do if [ -f "$f" ]; then . "$f"; break; fi; done',
        "c=/opt/miniconda3/bin/activate; if [ -f $c ]; then . $c && conda activate testbed; fi",
        "for d in .venv venv; do f=$d/bin/activate; if [ -f $f ]; then . $f; break; fi; done",
    ),
    single_test="pytest NAME",
    test_command="pytest --no-header -rA --tb=short -p no:cacheprovider",
    parser="pytest",
    junk=(
        "__pycache__/",
        "*.py[co]",
        ".pytest_cache/",
        ".mypy_cache/",
        ".ruff_cache/",
        ".hypothesis/",
        ".tox/",
        ".nox/",
        ".coverage",
        "*.egg-info/",
        ".eggs/",
    ),
)

_NODE_RUNNER = (
    "jest.config.*",
    "jest.setup.*",
    "vitest.config.*",
    "vitest.setup.*",
    "vite.config.*",
    ".mocharc*",
    "mocha.opts",
    "karma.conf.*",
    "ava.config.*",
    "jasmine.json",
    "babel.config.*",
    ".babelrc*",
    "setupTests.*",
    ".taprc",
    "node_modules/",
)
_NODE_BUILD = ("package.json", "package-lock.json", "tsconfig*.json", "yarn.lock", "pnpm-lock.yaml")
_NODE_ACTIVATION = ('n="${NVM_DIR:-${HOME:-/root}/.nvm}/nvm.sh"; if [ -f "$n" ]; then . "$n"; fi',)
_NODE_JUNK = ("node_modules/", ".nyc_output/", "coverage/", ".npm/", "npm-debug.log*")

JAVASCRIPT = Profile(
    name="javascript",
    display="JavaScript",
    aliases=("js", "node", "nodejs", "node.js", "jsx", "ecmascript"),
    reproduction="`node FILE`",
    tests=("*.test.js", "*.spec.js", "__tests__/", "test/"),
    runner=_NODE_RUNNER,
    build=_NODE_BUILD,
    activation=_NODE_ACTIVATION,
    single_test="npx jest -t NAME",
    test_command="npm test",
    junk=_NODE_JUNK,
    may_add_tests=False,
)

TYPESCRIPT = Profile(
    name="typescript",
    display="TypeScript",
    aliases=("ts", "tsx"),
    reproduction="`npx tsx FILE` or the project's own runner",
    tests=("*.test.ts", "*.spec.ts", "*.test.tsx", "__tests__/", "test/"),
    runner=_NODE_RUNNER,
    build=_NODE_BUILD,
    activation=_NODE_ACTIVATION,
    single_test="npx jest -t NAME",
    test_command="npm test",
    junk=(*_NODE_JUNK, "*.tsbuildinfo"),
    may_add_tests=False,
)

GO = Profile(
    name="go",
    display="Go",
    aliases=("golang",),
    reproduction="`go run FILE`",
    tests=("*_test.go", "testdata/"),
    build=("go.mod", "go.sum", "go.work", "Makefile"),
    activation=('export PATH="$PATH:/usr/local/go/bin:${HOME:-/root}/go/bin"',),
    single_test="go test -run '^NAME$' ./...",
    test_command="go test -json ./...",
    parser="gotest-json",
    junk=("*.test", "coverage.out"),
)

RUST = Profile(
    name="rust",
    display="Rust",
    aliases=("rs",),
    reproduction="`cargo run --example NAME` from a file in examples/",
    tests=("tests/", "*_test.rs", "src/**/tests.rs"),
    runner=(".cargo/", "nextest.toml", ".config/nextest.toml"),
    build=("Cargo.toml", "Cargo.lock", "build.rs", "rust-toolchain*"),
    activation=('if [ -f "${HOME:-/root}/.cargo/env" ]; then . "${HOME:-/root}/.cargo/env"; fi',),
    single_test="cargo test NAME -- --exact",
    test_command="cargo test --no-fail-fast",
    parser="cargo",
    junk=("target/", "*.rs.bk"),
    may_add_tests=False,
)

_JVM_RUNNER = (
    "junit-platform.properties",
    "surefire*.xml",
    "testng*.xml",
    ".mvn/",
    "*META-INF/services/org.junit*",
)
_JVM_BUILD = ("pom.xml", "build.gradle*", "settings.gradle*", "gradle.properties", "build.xml")
_JVM_ACTIVATION = (
    's="${SDKMAN_DIR:-${HOME:-/root}/.sdkman}/bin/sdkman-init.sh"; if [ -f "$s" ]; then . "$s"; fi',
)
_JVM_JUNK = ("*.class", "target/", "build/", ".gradle/", "hs_err_pid*.log")

JAVA = Profile(
    name="java",
    display="Java",
    aliases=(),
    reproduction="`javac` and `java`, with the project's classes on the class path",
    tests=("*src/test/", "*Test.java", "*Tests.java", "*IT.java"),
    runner=_JVM_RUNNER,
    build=_JVM_BUILD,
    activation=_JVM_ACTIVATION,
    single_test="mvn -B test -Dtest='CLASS#NAME'",
    test_command="mvn -B test",
    parser="surefire",
    junk=_JVM_JUNK,
)

KOTLIN = Profile(
    name="kotlin",
    display="Kotlin",
    aliases=("kt", "kts"),
    reproduction="`kotlinc FILE -include-runtime -d /tmp/reproduction.jar` and `java -jar`",
    tests=("*src/test/", "*Test.kt", "*Tests.kt"),
    runner=_JVM_RUNNER,
    build=_JVM_BUILD,
    activation=_JVM_ACTIVATION,
    single_test="./gradlew test --tests NAME",
    test_command="./gradlew test",
    parser="gradle",
    junk=_JVM_JUNK,
)

_NATIVE_RUNNER = (
    "CTestConfig.cmake",
    "CTestCustom.cmake*",
    "DartConfig.cmake",
    "test-driver",
    "tap-driver*",
)
_NATIVE_BUILD = (
    "CMakeLists.txt",
    "*.cmake",
    "Makefile*",
    "*.mk",
    "meson.build",
    "meson_options.txt",
    "configure*",
)
_NATIVE_JUNK = (
    "*.o",
    "*.obj",
    "*.gcda",
    "*.gcno",
    "CMakeFiles/",
    "CMakeCache.txt",
    "Testing/Temporary/",
)

C = Profile(
    name="c",
    display="C",
    aliases=("c99", "c11", "ansi c"),
    reproduction="`gcc FILE -o /tmp/reproduction && /tmp/reproduction`",
    tests=("test_*.c", "*_test.c", "tests/", "test/"),
    runner=_NATIVE_RUNNER,
    build=_NATIVE_BUILD,
    single_test="ctest -R '^NAME$' --output-on-failure",
    test_command="ctest --output-on-failure",
    parser="ctest",
    junk=_NATIVE_JUNK,
)

CPP = Profile(
    name="cpp",
    display="C++",
    aliases=("c++", "cxx", "cc", "cplusplus", "c/c++"),
    reproduction="`g++ FILE -o /tmp/reproduction && /tmp/reproduction`",
    tests=("*_test.cpp", "*_test.cc", "test_*.cpp", "tests/", "test/"),
    runner=_NATIVE_RUNNER,
    build=_NATIVE_BUILD,
    single_test="ctest -R '^NAME$' --output-on-failure",
    test_command="ctest --output-on-failure",
    parser="ctest",
    junk=_NATIVE_JUNK,
)

CSHARP = Profile(
    name="csharp",
    display="C#",
    aliases=("c#", "cs", "dotnet", ".net", "c-sharp"),
    reproduction="`dotnet run --project DIRECTORY`",
    tests=("*Tests.cs", "*Test.cs", "*.Tests/"),
    runner=("*.runsettings", "xunit.runner.json", "testconfig.json"),
    build=("*.csproj", "*.sln", "*.props", "*.targets", "NuGet.config"),
    activation=('export PATH="$PATH:/usr/share/dotnet:${HOME:-/root}/.dotnet"',),
    single_test="dotnet test --filter FullyQualifiedName=NAME",
    test_command="dotnet test",
    parser="dotnet",
    junk=("bin/", "obj/", "TestResults/"),
)

RUBY = Profile(
    name="ruby",
    display="Ruby",
    aliases=("rb",),
    reproduction="`ruby -I lib FILE`",
    tests=("spec/", "test/", "*_spec.rb", "*_test.rb", "test_*.rb"),
    runner=(".rspec", "spec_helper.rb", "rails_helper.rb", "test_helper.rb", ".rspec-local"),
    build=("Rakefile", "Gemfile", "Gemfile.lock", "*.gemspec", ".rubocop.yml"),
    activation=(
        'if [ -f "${HOME:-/root}/.rvm/scripts/rvm" ]; then . "${HOME:-/root}/.rvm/scripts/rvm"; fi',
        'r="${HOME:-/root}/.rbenv"; if [ -d "$r" ]; then PATH="$r/shims:$r/bin:$PATH"; fi',
    ),
    single_test="bundle exec rspec -e NAME",
    test_command="bundle exec rspec",
    parser="rspec",
    junk=(".bundle/", "coverage/", ".rspec_status"),
)

PHP = Profile(
    name="php",
    display="PHP",
    aliases=("php7", "php8"),
    reproduction="`php FILE`",
    tests=("tests/", "*Test.php"),
    runner=("phpunit.xml*", "phpunit.dist.xml", "Pest.php", "tests/bootstrap.php", "auto_prepend*"),
    build=("composer.json", "composer.lock"),
    single_test="vendor/bin/phpunit --filter NAME",
    test_command="vendor/bin/phpunit --testdox",
    parser="phpunit",
    junk=(".phpunit.result.cache", ".phpunit.cache/"),
)

ALL = (
    PYTHON,
    JAVASCRIPT,
    TYPESCRIPT,
    GO,
    RUST,
    JAVA,
    KOTLIN,
    C,
    CPP,
    CSHARP,
    RUBY,
    PHP,
)
