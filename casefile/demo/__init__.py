"""Sample cases and demo keys: :mod:`casefile.demo.play` takes them through everything."""
