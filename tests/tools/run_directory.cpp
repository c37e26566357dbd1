#include "tools/run_directory.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "tools/exit_codes.h"

using namespace shoal;
namespace fs = std::filesystem;

namespace {

/// A folder of its own for a test, removed afterwards.
struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "shoal-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()));
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
};

std::string content(const fs::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

constexpr const char* kConfig = "# Settings of a run; `shoal train --config FILE` repeats it.\n";

}  // namespace

TEST_CASE("a run directory is made with its parents, and files appear whole") {
  const Folder folder;
  const RunDirectory run(folder.path / "a" / "b", Existing::refuse);
  run.write("one.txt", "1");
  run.write("one.txt", "2");
  run.write("figures/two.txt", "two");
  run.append_line("lines", "a");
  run.append_line("lines", "b");
  run.write_with("three", [](const fs::path& path) { std::ofstream(path) << "three"; });
  CHECK(content(run.file("one.txt")) == "2");
  CHECK(content(run.file("figures/two.txt")) == "two");
  CHECK(content(run.file("lines")) == "a\nb\n");
  CHECK(content(run.file("three")) == "three");
  CHECK_THROWS_AS(run.write_with("four",
                                 [](const fs::path& path) {
                                   std::ofstream(path) << "half";
                                   throw OutputError("no");
                                 }),
                  OutputError);
  for (const auto& entry : fs::recursive_directory_iterator(run.path()))
    CHECK(entry.path().extension() != ".tmp");
  CHECK_FALSE(fs::exists(run.file("four")));
}

TEST_CASE("a directory that is there is refused, replaced or kept") {
  const Folder folder;
  CHECK_THROWS_AS(RunDirectory(folder.path, Existing::refuse), UsageError);
  CHECK_NOTHROW(RunDirectory(folder.path, Existing::replace));  // empty
  std::ofstream(folder.path / "thesis.tex") << "years of work";
  CHECK_FALSE(is_run_directory(folder.path));
  CHECK_THROWS_AS(RunDirectory(folder.path, Existing::replace), UsageError);
  CHECK_THROWS_AS(RunDirectory(folder.path, Existing::resume), UsageError);
  CHECK(content(folder.path / "thesis.tex") == "years of work");
  std::ofstream(folder.path / "config.toml") << "somebody = 'else'";
  CHECK_FALSE(is_run_directory(folder.path));
  std::ofstream(folder.path / "config.toml") << kConfig;
  CHECK(is_run_directory(folder.path));
  std::ofstream(folder.path / ".state.safetensors.1-0.tmp") << "half";
  { const RunDirectory kept(folder.path, Existing::resume); }
  CHECK(fs::exists(folder.path / "thesis.tex"));
  CHECK_FALSE(fs::exists(folder.path / ".state.safetensors.1-0.tmp"));
  CHECK_THROWS_AS(RunDirectory(folder.path, Existing::refuse), UsageError);
  { const RunDirectory replaced(folder.path, Existing::replace); }
  CHECK(fs::is_empty(folder.path));
  std::ofstream(folder.path / "file") << "x";
  CHECK_THROWS_AS(RunDirectory(folder.path / "file", Existing::replace), UsageError);
  CHECK_THROWS_AS(RunDirectory(folder.path / "file" / "below", Existing::refuse), OutputError);
}

TEST_CASE("a full disk is an error in words, and leaves nothing half-written") {
  const Folder folder;
  fs::create_symlink("/dev/full", folder.path / "out.tmp");  // what is written goes to a full device
  CHECK_THROWS_AS(write_whole_file(folder.path / "out", "text"), OutputError);
  CHECK(fs::is_empty(folder.path));
  fs::create_symlink("/dev/full", folder.path / "lines");
  const RunDirectory run(folder.path / "run", Existing::refuse);
  fs::create_symlink("/dev/full", run.file("lines"));
  CHECK_THROWS_AS(run.append_line("lines", "text"), OutputError);
}

TEST_CASE("a directory without a name gets one that is free") {
  const std::string path = default_run_path("digits").string();
  CHECK(path.starts_with("runs/20"));
  CHECK(path.ends_with("-digits"));
  CHECK(path.size() == std::string("runs/20250304-050607-digits").size());
}

TEST_CASE("one process at a time, and a lock that nobody holds locks nothing") {
  const Folder folder;
  const fs::path path = folder.path / "run";
  {
    const RunDirectory run(path, Existing::refuse);
    run.write("config.toml", kConfig);
    for (const Existing how : {Existing::resume, Existing::replace}) {
      try {
        const RunDirectory second(path, how);
        FAIL("two at once");
      } catch (const UsageError& e) {
        CHECK(std::string(e.what()).find("another process (" + std::to_string(getpid()) + ")") !=
              std::string::npos);
      }
    }
    CHECK(fs::exists(run.file("config.toml")));  // --force has emptied nothing
  }
  CHECK_FALSE(fs::exists(path / "lock"));
  std::ofstream(path / "lock") << "12345\n";  // of a process that was killed
  CHECK_NOTHROW(RunDirectory(path, Existing::resume));
}

TEST_CASE("a directory with nothing but a killed process's lock is empty") {
  const Folder folder;
  std::ofstream(folder.path / "lock") << "12345\n";
  CHECK_NOTHROW(RunDirectory(folder.path, Existing::resume));
}

TEST_CASE("what was left half-written goes when a run is resumed, in folders, too") {
  const Folder folder;
  {
    const RunDirectory run(folder.path / "run", Existing::refuse);
    run.write("config.toml", kConfig);
    run.write("figures/one.dat", "1");
  }
  const fs::path half = folder.path / "run" / ".state.safetensors.77-0.tmp",
                 figure = folder.path / "run/figures/two.dat.tmp";
  std::ofstream(half) << "half";
  std::ofstream(figure) << "half";
  const RunDirectory run(folder.path / "run", Existing::resume);
  CHECK_FALSE(fs::exists(half));
  CHECK_FALSE(fs::exists(figure));
  CHECK(fs::exists(run.file("figures/one.dat")));
}
