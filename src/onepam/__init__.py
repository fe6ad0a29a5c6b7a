"""OnePAM: privileged access management whose history can be verified offline."""

__version__ = "0.1.0"
