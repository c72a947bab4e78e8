#!/usr/bin/python3
"""Prints a part of the plan for the shell: network.py hosts|routes."""

import sys

import plan


def hosts():
    """name ipv4 ipv6 mac"""
    for number, one in enumerate(plan.HOSTS, start=16):
        print(one.name, one.ipv4, one.ipv6, f"02:25:00:00:00:{number:02x}")


def routes():
    """Every network that the outside namespace answers for."""
    print("\n".join(plan.LOCAL_ROUTES))


if __name__ == "__main__":
    {"hosts": hosts, "routes": routes}[sys.argv[1]]()
