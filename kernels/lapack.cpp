#include "kernels/lapack.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "kernels/machine.h"

namespace shoal::lapack {
namespace {

using Int = int;  // LP64, as Debian builds it
using Syevd = void (*)(const char* jobz, const char* uplo, const Int* n, double* a, const Int* lda, double* w,
                       double* work, const Int* lwork, Int* iwork, const Int* liwork, Int* info,
                       std::size_t jobz_length, std::size_t uplo_length);
using Gesdd = void (*)(const char* jobz, const Int* m, const Int* n, double* a, const Int* lda, double* s,
                       double* u, const Int* ldu, double* vt, const Int* ldvt, double* work, const Int* lwork,
                       Int* iwork, Int* info, std::size_t jobz_length);

using Geqrf = void (*)(const Int* m, const Int* n, double* a, const Int* lda, double* tau, double* work,
                       const Int* lwork, Int* info);
using Orgqr = void (*)(const Int* m, const Int* n, const Int* k, double* a, const Int* lda, const double* tau,
                       double* work, const Int* lwork, Int* info);

struct Library {
  Syevd syevd = nullptr;
  Gesdd gesdd = nullptr;
  Geqrf geqrf = nullptr;
  Orgqr orgqr = nullptr;
  std::string name, reason;  // reason: why there is none
};

/// A variable for the time of loading, where the user has not set it: OpenBLAS reads it once, as it is
/// loaded.
class Hint {
 public:
  Hint(const char* name, const char* value) : name_(std::getenv(name) ? nullptr : name) {
    if (name_) setenv(name_, value, 0);
  }
  ~Hint() {
    if (name_) unsetenv(name_);
  }
  Hint(const Hint&) = delete;
  Hint& operator=(const Hint&) = delete;

 private:
  const char* name_;
};

template <class F>
F find(void* library, const char* name) {
  return reinterpret_cast<F>(dlsym(library, name));
}

void* open_openblas() {
  const Hint serial("OPENBLAS_NUM_THREADS", "1");
  const char* file = "libopenblas.so.0";
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512cd")) {
    const Hint core("OPENBLAS_CORETYPE", "SkylakeX");
    return dlopen(file, RTLD_NOW | RTLD_LOCAL);
  }
#endif
  return dlopen(file, RTLD_NOW | RTLD_LOCAL);
}

Library load() {
  Library l;
  void* opened = open_openblas();
  if (opened) {
    // Somebody's OPENBLAS_NUM_THREADS does not count here.
    if (const auto set_threads = find<void (*)(int)>(opened, "openblas_set_num_threads")) set_threads(1);
    const auto core = find<char* (*)()>(opened, "openblas_get_corename");
    l.name = fmt::format("OpenBLAS {}", core ? core() : "");
  } else {
    opened = dlopen("liblapack.so.3", RTLD_NOW | RTLD_LOCAL);
    l.name = "liblapack.so.3";
  }
  if (opened) {
    l.syevd = find<Syevd>(opened, "dsyevd_");
    l.gesdd = find<Gesdd>(opened, "dgesdd_");
    l.geqrf = find<Geqrf>(opened, "dgeqrf_");
    l.orgqr = find<Orgqr>(opened, "dorgqr_");
  }
  if (!l.syevd || !l.gesdd || !l.geqrf || !l.orgqr)
    l.reason =
        "eigenvalues are computed by LAPACK, and neither libopenblas.so.0 nor liblapack.so.3 was found here: "
        "install it (Debian's package: libopenblas0-pthread)";
  return l;
}

const Library& known() {
  static const Library loaded = load();
  return loaded;
}

const Library& library() {
  if (!known().reason.empty()) throw DeviceError(known().reason);
  return known();
}

}  // namespace

std::string description() { return library().name; }
std::string why_not() { return known().reason; }

void symmetric_eigen(double* matrix, double* values, int n, bool vectors) {
  if (n == 0) return;
  const char* wanted_too = vectors ? "V" : "N";
  const Library& l = library();
  const Int size = n;
  Int info = 0, room = -1, integer_room = -1, integers = 0;
  double wanted = 0.0;
  l.syevd(wanted_too, "L", &size, matrix, &size, values, &wanted, &room, &integers, &integer_room, &info, 1,
          1);
  room = static_cast<Int>(wanted), integer_room = integers;
  std::vector<double> work(static_cast<std::size_t>(std::max(1, room)));
  std::vector<Int> integer_work(static_cast<std::size_t>(std::max(1, integer_room)));
  l.syevd(wanted_too, "L", &size, matrix, &size, values, work.data(), &room, integer_work.data(),
          &integer_room, &info, 1, 1);
  if (info != 0)
    throw DeviceError(
        fmt::format("LAPACK's dsyevd found no eigenvalues of a {} x {} matrix (info = {})", n, n, info));
}

void orthonormalize(double* rows, int count, int length) {
  if (count == 0) return;
  const Library& l = library();
  // To LAPACK, which counts columns first, the rows are the columns of a matrix [length][count].
  const Int m = length, n = count;
  Int info = 0, room = -1;
  double most = 0.0, wanted = 0.0;
  std::vector<double> tau(static_cast<std::size_t>(count));
  l.geqrf(&m, &n, rows, &m, tau.data(), &most, &room, &info);
  l.orgqr(&m, &n, &n, rows, &m, tau.data(), &wanted, &room, &info);
  room = static_cast<Int>(std::max(most, wanted));
  std::vector<double> work(static_cast<std::size_t>(std::max(1, room)));
  l.geqrf(&m, &n, rows, &m, tau.data(), work.data(), &room, &info);
  if (info == 0) l.orgqr(&m, &n, &n, rows, &m, tau.data(), work.data(), &room, &info);
  if (info != 0) throw DeviceError(fmt::format("LAPACK's dgeqrf or dorgqr failed (info = {})", info));
}

void singular_values(double* matrix, double* values, int rows, int columns) {
  if (rows == 0 || columns == 0) return;
  const Library& l = library();
  // To LAPACK, which counts columns first, this is the transpose: it has the same singular values.
  const Int m = columns, n = rows, one = 1;
  Int info = 0, room = -1;
  double wanted = 0.0;
  std::vector<Int> integers(8 * static_cast<std::size_t>(std::min(rows, columns)));
  l.gesdd("N", &m, &n, matrix, &m, values, nullptr, &one, nullptr, &one, &wanted, &room, integers.data(),
          &info, 1);
  room = static_cast<Int>(wanted);
  std::vector<double> work(static_cast<std::size_t>(std::max(1, room)));
  l.gesdd("N", &m, &n, matrix, &m, values, nullptr, &one, nullptr, &one, work.data(), &room, integers.data(),
          &info, 1);
  if (info != 0) throw DeviceError(fmt::format("LAPACK's dgesdd failed (info = {})", info));
}

}  // namespace shoal::lapack
