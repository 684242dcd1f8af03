// Reads the source tree and fails on what reviewers should not have to look for: forbidden
// includes, third-party headers outside their folder, overgrown files and functions, long lines,
// words that do not belong, sleeping tests.
#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

constexpr std::size_t file_lines_soft = 400;
constexpr std::size_t file_lines_hard = 600;
constexpr std::size_t function_lines_max = 70;
constexpr std::size_t line_columns_max = 100;

struct source {
  std::string path;    // from the root of the tree
  std::string folder;  // first part of the path
  std::vector<std::string> lines;
  bool header() const { return path.ends_with(".hpp"); }

  // "Internal to store/": only its own folder may include it, so it may show a library's types.
  bool internal() const {
    const std::string mark = "Internal to " + folder;
    const auto end =
        lines.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(15, lines.size()));
    return header() && std::any_of(lines.begin(), end, [&mark](const std::string& line) {
             return line.find(mark) != std::string::npos;
           });
  }
};

// Code only: generated and downloaded trees are skipped.
const std::vector<source>& tree() {
  static const std::vector<source> files = [] {
    std::vector<source> out;
    const fs::path root = SYNDICATED_SOURCE_DIR;
    for (auto at = fs::recursive_directory_iterator(root); at != fs::end(at); ++at) {
      const std::string name = at->path().filename().string();
      const bool skipped = name == "build" || name == "node_modules" || name == "__pycache__" ||
                           (name.starts_with('.') && name != ".ci" && name != ".clang-tidy" &&
                            name != ".clang-format");
      if (at->is_directory() && skipped) at.disable_recursion_pending();
      if (!at->is_regular_file() || skipped) continue;
      source file{fs::relative(at->path(), root).string(), {}, {}};
      file.folder = file.path.substr(0, file.path.find('/'));
      std::ifstream in(at->path());
      for (std::string line; std::getline(in, line);) file.lines.push_back(line);
      out.push_back(std::move(file));
    }
    std::sort(out.begin(), out.end(),
              [](const source& a, const source& b) { return a.path < b.path; });
    return out;
  }();
  return files;
}

bool is_cpp(const source& file) { return file.path.ends_with(".cpp") || file.header(); }

const std::set<std::string> product_folders{"core", "store",  "net",    "actors",
                                            "api",  "config", "daemon", "ctl"};

const std::map<std::string, std::set<std::string>> allowed_includes{
    {"core", {}},
    {"store", {"core"}},
    {"net", {"core"}},
    {"actors", {"core", "store", "net"}},
    {"api", {"core", "actors", "net"}},
    {"config", {"core"}},
    {"daemon", {"core", "store", "net", "actors", "api", "config"}},
    {"ctl", {"core", "net"}},
};

struct library {
  const char* prefix;
  std::set<std::string> owners;
};

const std::vector<library> libraries{
    {"curl/", {"net"}},
    {"ares", {"net"}},
    {"boost/asio", {"net"}},
    {"boost/beast", {"net"}},
    {"boost/system", {"net"}},
    {"boost/json", {"api", "ctl"}},
    {"simdjson", {"net", "api", "actors"}},
    {"valijson/", {"api"}},
    {"openssl/", {"net", "core", "store", "api"}},
    {"toml++/", {"config"}},
    {"spdlog/", {"daemon"}},
    {"fmt/", {"daemon"}},
    {"systemd/", {"daemon"}},
    {"prometheus/", {"daemon"}},
    {"CLI/", {"daemon", "ctl"}},
    {"rocksdb/", {"store"}},
    {"google/protobuf", {"store"}},
    {"store/records.pb.h", {"store"}},
    {"caf/", {"actors"}},
};

// The name in #include "..." or <...>; empty for other lines.
std::string included(const std::string& line) {
  if (!line.starts_with("#include")) return {};
  const auto open = line.find_first_of("\"<");
  const auto close = line.find_first_of("\">", open + 1);
  if (open == std::string::npos || close == std::string::npos) return {};
  return line.substr(open + 1, close - open - 1);
}

const library* library_of(const std::string& name) {
  for (const auto& known : libraries) {
    if (name.starts_with(known.prefix)) return &known;
  }
  return nullptr;
}

bool posix_or_standard(const std::string& name) {
  static const std::set<std::string> single{
      "fcntl.h",   "unistd.h",  "poll.h",   "pthread.h", "netdb.h", "signal.h",  "grp.h",   "pwd.h",
      "ifaddrs.h", "strings.h", "resolv.h", "dirent.h",  "sched.h", "termios.h", "malloc.h"};
  return name.find('.') == std::string::npos || single.count(name) != 0 ||
         name.starts_with("sys/") || name.starts_with("netinet/") || name.starts_with("arpa/") ||
         name.starts_with("net/if") || name.starts_with("linux/");
}

std::string place(const source& file, std::size_t line) {
  return file.path + ":" + std::to_string(line + 1);
}

void check_own_include(const source& file, std::size_t line, const std::string& name) {
  const std::string target = name.substr(0, name.find('/'));
  if (target == file.folder) return;
  BOOST_TEST(allowed_includes.at(file.folder).count(target) != 0,
             place(file, line) << ": " << file.folder << " may not include " << name);
  if (file.folder == "api" && target == "actors") {
    BOOST_TEST(name == "actors/engine.hpp", place(file, line)
                                                << ": api sees of actors only engine.hpp");
  }
}

// Length of each function body by counting braces from column rules of the formatter: a line that
// ends with '{' at namespace or class depth and is not itself a namespace, type or initialiser.
struct body {
  std::size_t first;
  std::size_t lines;
};

bool opens_function(const std::string& line) {
  static const std::vector<std::string> others{"namespace", "struct ", "class ",
                                               "enum ",     "union ",  "extern "};
  if (!line.ends_with("{")) return false;
  if (line.find(" = {") != std::string::npos) return false;
  const std::string text = line.substr(line.find_first_not_of(' '));
  return std::none_of(others.begin(), others.end(),
                      [&text](const std::string& word) { return text.starts_with(word); });
}

// The formatter puts the closing brace of a body at the column where its first line begins.
std::vector<body> bodies(const source& file) {
  std::vector<body> out;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    if (!opens_function(file.lines[i])) continue;
    // A signature of several lines begins at a smaller column than its last line.
    std::size_t first = i;
    while (first > 0 && file.lines[first].starts_with("    ") && !file.lines[first - 1].empty() &&
           !file.lines[first - 1].ends_with(";") && !file.lines[first - 1].ends_with("}") &&
           !file.lines[first - 1].ends_with("{") && !file.lines[first - 1].ends_with(":")) {
      --first;
    }
    const std::size_t column = file.lines[first].find_first_not_of(' ');
    if (column > 2) continue;  // inside a body already
    const std::string close = std::string(column, ' ') + "}";
    for (std::size_t end = i + 1; end < file.lines.size(); ++end) {
      if (!file.lines[end].starts_with(close)) continue;
      out.push_back({first, end - first + 1});
      i = end;
      break;
    }
  }
  return out;
}

// Put together from halves, so that this file does not contain them.
std::vector<std::string> banned_words() {
  const std::vector<std::pair<std::string, std::string>> halves{
      {"TO", "DO"},           {"FIX", "ME"},        {"XX", "X:"},         {"chat", "gpt"},
      {"lan", "guage model"}, {"A", "I-generated"}, {"this ses", "sion"}, {"sub", "agent"},
      {"hel", "per agent"},   {"clau", "de"},       {"anthro", "pic"},    {"co", "pilot"}};
  std::vector<std::string> out;
  for (const auto& [left, right] : halves) out.push_back(left + right);
  return out;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tidy)

BOOST_AUTO_TEST_CASE(the_tree_is_there) {
  BOOST_TEST(std::count_if(tree().begin(), tree().end(), is_cpp) > 30);
}

BOOST_AUTO_TEST_CASE(includes_follow_the_arrows) {
  for (const auto& file : tree()) {
    if (!is_cpp(file) || product_folders.count(file.folder) == 0) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string name = included(file.lines[i]);
      const std::string target = name.substr(0, name.find('/'));
      if (name.find('/') == std::string::npos || product_folders.count(target) == 0) continue;
      // <net/if.h> is the system's.
      if (file.lines[i].find('<') != std::string::npos) continue;
      check_own_include(file, i, name);
    }
  }
}

BOOST_AUTO_TEST_CASE(third_party_headers_stay_in_sources_of_their_folder) {
  for (const auto& file : tree()) {
    if (!is_cpp(file) || product_folders.count(file.folder) == 0) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string name = included(file.lines[i]);
      if (name.empty()) continue;
      const library* known = library_of(name);
      if (known == nullptr) {
        const bool quoted = file.lines[i].find('"') != std::string::npos;
        BOOST_TEST((quoted || posix_or_standard(name)),
                   place(file, i) << ": " << name << " is not a known library");
        continue;
      }
      BOOST_TEST(known->owners.count(file.folder) != 0,
                 place(file, i) << ": " << file.folder << " may not use " << name);
      BOOST_TEST((!file.header() || file.internal()),
                 place(file, i) << ": " << name << " in a header that others may include");
    }
  }
}

BOOST_AUTO_TEST_CASE(internal_headers_stay_in_their_folder) {
  std::map<std::string, std::string> internal;  // path -> folder
  for (const auto& file : tree()) {
    if (product_folders.count(file.folder) != 0 && file.internal())
      internal[file.path] = file.folder;
  }
  BOOST_TEST(internal.size() > 5U);
  for (const auto& file : tree()) {
    if (!is_cpp(file) || product_folders.count(file.folder) == 0) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const auto found = internal.find(included(file.lines[i]));
      BOOST_TEST((found == internal.end() || found->second == file.folder),
                 place(file, i) << ": " << included(file.lines[i]) << " is internal");
    }
  }
}

BOOST_AUTO_TEST_CASE(headers_are_guarded_and_includes_start_at_the_root) {
  for (const auto& file : tree()) {
    if (!is_cpp(file)) continue;
    if (file.header()) {
      BOOST_TEST(std::count(file.lines.begin(), file.lines.end(), "#pragma once") == 1, file.path);
    }
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      if (!file.lines[i].starts_with("#include \"")) continue;
      BOOST_TEST(included(file.lines[i]).find('/') != std::string::npos,
                 place(file, i) << ": includes are written from the root of the tree");
    }
  }
}

BOOST_AUTO_TEST_CASE(files_and_functions_are_small) {
  for (const auto& file : tree()) {
    if (!is_cpp(file)) continue;
    BOOST_TEST(file.lines.size() <= file_lines_hard,
               file.path << " has " << file.lines.size() << " lines");
    if (file.lines.size() > file_lines_soft) {
      BOOST_TEST_MESSAGE("over the soft limit: " << file.path << " " << file.lines.size());
    }
    for (const auto& found : bodies(file)) {
      BOOST_TEST(found.lines <= function_lines_max,
                 place(file, found.first) << ": a function of " << found.lines << " lines");
    }
  }
}

BOOST_AUTO_TEST_CASE(the_function_counter_sees_functions) {
  source sample{"core/sample.cpp", "core", {}};
  sample.lines = {"namespace a {",
                  "void f() {",
                  "  int x = 0;",
                  "}",
                  "class b {",
                  "  int g(int first,",
                  "        int second) {",
                  "    return 1;",
                  "  }",
                  "};",
                  "}"};
  const auto found = bodies(sample);
  BOOST_REQUIRE(found.size() == 2U);
  BOOST_TEST(found[0].lines == 3U);
  BOOST_TEST(found[1].first == 5U);
  BOOST_TEST(found[1].lines == 4U);
}

BOOST_AUTO_TEST_CASE(lines_are_short_and_end_cleanly) {
  for (const auto& file : tree()) {
    if (!is_cpp(file) && !file.path.ends_with(".py")) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string& line = file.lines[i];
      const auto columns = std::count_if(line.begin(), line.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
      });
      BOOST_TEST(static_cast<std::size_t>(columns) <= line_columns_max, place(file, i) << ": long");
      BOOST_TEST((line.empty() || (line.back() != ' ' && line.back() != '\t')),
                 place(file, i) << ": blank at the end");
      BOOST_TEST(line.find('\t') == std::string::npos, place(file, i) << ": tabulator");
    }
  }
}

BOOST_AUTO_TEST_CASE(no_word_is_out_of_place) {
  const auto words = banned_words();
  for (const auto& file : tree()) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string line = lower(file.lines[i]);
      for (const auto& word : words) {
        BOOST_TEST(line.find(lower(word)) == std::string::npos, place(file, i) << ": " << word);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(tests_wait_for_conditions_not_for_time) {
  const std::string sleeping = std::string{"sleep_"} + "for";
  for (const auto& file : tree()) {
    if (!is_cpp(file) || file.folder != "tests" || file.path.starts_with("tests/e2e/")) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      BOOST_TEST(file.lines[i].find(sleeping) == std::string::npos, place(file, i) << ": sleeps");
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
