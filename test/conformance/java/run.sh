#!/bin/sh
# Runs the official Java SDK against a purser that is already up.
#
#   PURSER_DEMO_JSON=/path/to/demo.json ./run.sh [maven arguments…]
#
# Maven's local repository is the user's own, so a second run needs no network.
# Optional: PURSER_TLS_ENDPOINT (https://…) with PURSER_CA (a PEM file) adds
# the test over TLS.
set -eu

here=$(cd "$(dirname "$0")" && pwd)

say() { echo "conformance/java: $*" >&2; }

for tool in java javac mvn; do
    if ! command -v $tool >/dev/null 2>&1; then
        say "$tool is not on PATH; on Debian or Ubuntu: apt-get install openjdk-17-jdk-headless maven"
        exit 1
    fi
done
release=$(javac -version 2>&1 | sed 's/^javac \([0-9]*\).*/\1/')
if [ "$release" -lt 17 ] 2>/dev/null; then
    say "javac is release $release, but 17 or newer is needed; on Debian or Ubuntu: apt-get install openjdk-17-jdk-headless"
    exit 1
fi

if [ -z "${PURSER_DEMO_JSON:-}" ]; then
    say "PURSER_DEMO_JSON is not set; it must name the demo.json of a running 'purser serve --demo'"
    exit 1
fi
if [ ! -r "$PURSER_DEMO_JSON" ]; then
    say "PURSER_DEMO_JSON names $PURSER_DEMO_JSON, which cannot be read"
    exit 1
fi
case $PURSER_DEMO_JSON in
    /*) ;;
    *) PURSER_DEMO_JSON=$PWD/$PURSER_DEMO_JSON ;;
esac
export PURSER_DEMO_JSON

# An override of the machine must not lead the tests elsewhere.
unset HUAWEICLOUD_SDK_IAM_ENDPOINT

# Quiet, but for the results: failures with their text and "Tests run: …".
logger=org.slf4j.simpleLogger
MAVEN_OPTS="${MAVEN_OPTS:-} -XX:TieredStopAtLevel=1 -XX:+UseSerialGC \
-D$logger.defaultLogLevel=warn -D$logger.log.org.apache.maven.plugin.surefire=info"
export MAVEN_OPTS

build=${CONFORMANCE_BUILD:-$here/../../../.cache/conformance-java}
mkdir -p "$build"
log=$build/run.log

cd "$here"
status=0
mvn -B -ntp -Dstyle.color=never -Dconformance.build="$build" test "$@" >"$log" 2>&1 || status=$?

# Left out: colours of the launcher, two remarks on running in one JVM, and
# what Maven says about itself after the line with the totals.
escape=$(printf '\033')
sed -e "s/$escape\[[0-9;]*m//g" \
    -e '/useSystemClassLoader setting has no effect/d' \
    -e '/parameter forkCount should likely not be 0/d' \
    -e '/Failed to execute goal org.apache.maven.plugins:maven-surefire-plugin/,$d' \
    -e '/^\[[A-Z]*\] *$/d' "$log"
if [ $status -ne 0 ]; then
    grep -q 'Tests run:' "$log" ||
        say "Maven did not come to run the tests; the whole output is in $log (is a Maven repository reachable?)"
fi
exit $status
