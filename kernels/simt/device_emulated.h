// simt.h under an ordinary C++ compiler: the CUDA language as far as the kernels speak it. Standard headers
// come before the macros of language.h. No standard containers here: kernel sources are compiled for a higher
// processor level than the rest.
#pragma once

#include <math.h>

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <tuple>
#include <type_traits>
#include <utility>

#include "kernels/simt/language.h"
#include "kernels/simt/vector_types.h"
//
#include "kernels/simt/atomics.h"
#include "kernels/simt/bf16.h"
#include "kernels/simt/groups.h"
#include "kernels/simt/launch.h"
#include "kernels/simt/maths.h"
#include "kernels/simt/sync.h"
#include "kernels/simt/tensor.h"
