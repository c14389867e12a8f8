"""Writes kafka-jars.txt anew: resolves Kafka and its logging, downloads every jar once and prints its SHA-256.

Run by hand when a version changes:  python requirements/pin_jars.py > requirements/kafka-jars.txt
"""

import hashlib
import tempfile
from pathlib import Path

from jgo.maven import MavenContext

KAFKA = "4.3.1"
ROOTS = [f"org.apache.kafka:kafka_2.13:{KAFKA}"]
# Without its dependencies (Connect, Jetty): the console tools need only what the broker has already.
ALONE = [f"org.apache.kafka:kafka-tools:{KAFKA}"]
# slf4j-api is 1.7 here, so the binding is log4j-slf4j-impl, in the version of the log4j-core that Kafka brings.
BINDING = "org.apache.logging.log4j:log4j-slf4j-impl"


def main() -> None:
    with tempfile.TemporaryDirectory() as cache:
        maven = MavenContext(repo_cache=Path(cache), timeout=60)
        inputs, transitive = maven.resolver.resolve([maven.create_dependency(root) for root in ROOTS])
        found = [dependency.artifact for dependency in inputs + transitive]
        log4j = next(artifact.version for artifact in found if artifact.artifactId == "log4j-core")
        found += [maven.create_dependency(name).artifact for name in [*ALONE, f"{BINDING}:{log4j}"]]
        print("# The jars of an Apache Kafka broker: sha256 group:artifact:version. Written by pin_jars.py.")
        for artifact in sorted(found, key=str):
            digest = hashlib.sha256(artifact.resolve().read_bytes()).hexdigest()
            print(f"{digest} {artifact.groupId}:{artifact.artifactId}:{artifact.version}")


if __name__ == "__main__":
    main()
