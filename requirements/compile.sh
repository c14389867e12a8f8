#!/bin/sh
# Writes the .txt files anew, with the hash of every file that a registry has for these versions. Needs uv.
set -eu
cd "$(dirname "$0")"
for group in run java test bench; do
    uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
        --no-emit-index-url --no-emit-find-links --quiet --output-file "$group.txt" "$group.in"
done
