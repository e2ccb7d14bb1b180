"""oneMKL's sparse matrices, for one layer, without the bias."""

import ctypes
import importlib.metadata
import os
import pathlib
import sys

import numpy as np

import engine

# Of `mkl_spblas.h`.
PLAIN, GENERAL = 10, 20
ROW_MAJOR, COLUMN_MAJOR = 101, 102
MANY_CALLS = 1_000_000


class Description(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("mode", ctypes.c_int), ("diagonal", ctypes.c_int)]


os.environ["MKL_THREADING_LAYER"] = "SEQUENTIAL" if os.environ.get("OMP_NUM_THREADS") == "1" else "INTEL"
mkl = ctypes.CDLL(next(pathlib.Path(sys.prefix, "lib").glob("libmkl_rt.so*")))
GENERAL_MATRIX = Description(GENERAL, 0, 0)
ONE, NOTHING = ctypes.c_float(1), ctypes.c_float(0)


def done(status):
    if status:
        raise RuntimeError(f"oneMKL answers {status}")


def pointer(array):
    return array.ctypes.data_as(ctypes.c_void_p)


def sparse(weights):
    """The handle of a matrix, and the arrays that it points to."""
    columns = np.nonzero(weights)[1].astype(np.int32)
    starts = np.concatenate([[0], np.cumsum(np.count_nonzero(weights, axis=1))]).astype(np.int32)
    values = weights[weights != 0]
    handle = ctypes.c_void_p()
    arrays = (starts, columns, values)
    begin, end = pointer(starts[:-1]), pointer(starts[1:])
    done(mkl.mkl_sparse_s_create_csr(ctypes.byref(handle), 0, *weights.shape, begin, end, pointer(columns), pointer(values)))
    return handle, arrays


def product(weights, rows, layout):
    """Weights · rowsᵀ, where the rows, and so the answers, lie one after another or transposed."""
    handle, arrays = sparse(weights)
    units, batch = len(weights), len(rows)
    rows = np.asfortranarray(rows) if layout == ROW_MAJOR else rows
    answers = np.empty((batch, units), np.float32, order="F" if layout == ROW_MAJOR else "C")
    x, y = pointer(rows), pointer(answers)
    if batch == 1:
        done(mkl.mkl_sparse_set_mv_hint(handle, PLAIN, GENERAL_MATRIX, MANY_CALLS))
        arguments = (PLAIN, ONE, handle, GENERAL_MATRIX, x, NOTHING, y)
        function = mkl.mkl_sparse_s_mv
    else:
        done(mkl.mkl_sparse_set_mm_hint(handle, PLAIN, GENERAL_MATRIX, layout, batch, MANY_CALLS))
        steps = (batch, batch) if layout == ROW_MAJOR else (rows.shape[1], units)
        arguments = (PLAIN, ONE, handle, GENERAL_MATRIX, layout, x, batch, steps[0], NOTHING, y, steps[1])
        function = mkl.mkl_sparse_s_mm
    done(mkl.mkl_sparse_optimize(handle))
    done(function(*arguments))
    # The handle and the pointers keep no array.
    return lambda _=(arrays, rows): function(*arguments), answers


def load(task):
    """In the faster layout of the two."""
    [(kernel, bias)] = task.layers()
    weights = np.ascontiguousarray(kernel.T)
    calls = [product(weights, task.rows(), layout) for layout in (ROW_MAJOR, COLUMN_MAJOR)]
    call, answers = min(calls, key=lambda pair: engine.seconds_of(pair[0], 0.005))
    return call, lambda: answers + bias


engine.serve(load, f"oneMKL {importlib.metadata.version('mkl')}")
