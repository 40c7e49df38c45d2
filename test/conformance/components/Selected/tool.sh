#!/bin/sh
echo "port $1 list $LIST unknown $UNKNOWN version $GGC_VERSION in $(basename "$PWD")"
