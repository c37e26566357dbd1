// What a row of a benchmark says about where and when it was measured, a median, and the frame of every
// program here.
#pragma once

#include <string>
#include <vector>

namespace shoal {

std::string cpu_name();
std::string now();  // 2026-01-31T23:59:59Z

/// Of an odd number of values: the middle one; else the upper of the two. Not empty.
double median(std::vector<double> values);

/// Steady seconds since some moment.
double seconds();

/// Seconds that all threads of this process together have had a processor: what a busy machine does not
/// change much.
double processor_seconds();

/// The end of every row: level, threads, processor, compiler, commit, load of the machine (processes that
/// want a processor, over the last minute) and date, without braces.
std::string facts(int threads);

/// Runs main_program and returns its status. A build that is not a Release build is refused with status 2; an
/// exception becomes a sentence on stderr and status 1.
int run_bench(int argc, char** argv, int (*main_program)(int argc, char** argv));

}  // namespace shoal
