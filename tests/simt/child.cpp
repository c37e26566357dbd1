#include "tests/simt/child.h"

#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

ChildResult run_in_child(void (*function)(void*), void* argument) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("pipe");
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork");
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    function(argument);
    _exit(0);
  }
  close(ends[1]);
  ChildResult result;
  char part[1024];
  for (ssize_t n; (n = read(ends[0], part, sizeof part)) > 0;)
    result.output.append(part, static_cast<size_t>(n));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  result.died = status != 0;
  return result;
}
