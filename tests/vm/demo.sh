#!/bin/bash
echo "not yet"
