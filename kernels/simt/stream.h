// The stream type of both worlds, for files that know nothing of CUDA: cudaStream_t is a pointer to this
// struct. The emulator ignores it (every launch is finished when it returns); pass nullptr.
#pragma once

struct CUstream_st;

namespace simt {
using Stream = CUstream_st*;
}
