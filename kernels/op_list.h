// What is made from a list of ops, X(function, struct): the lists are in kernels/ops.h and
// kernels/statistics.h.
#pragma once

/// A declaration, for the namespace that the list is put in.
#define SHOAL_DECLARE_OP(function, Op) void function(const Op&, void* stream);
/// A name and a comma, for a table in the list's order.
#define SHOAL_NAME_OP(function, Op) function,
/// Fields of a machine's table: pointers, or references for a table that must be complete (an op left out, or
/// null, does not compile).
#define SHOAL_POINT_TO_OP(function, Op) void (*function)(const Op&, void* stream);
#define SHOAL_REFER_TO_OP(function, Op) void (&function)(const Op&, void* stream);
/// The complete table's entry, for the other one.
#define SHOAL_TAKE_OP(function, Op) ops.function,
