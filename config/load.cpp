#include "config/load.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <utility>

#include "config/keys.hpp"
#include "config/validate.hpp"

#include <toml++/toml.h>

namespace syndicated::config {
namespace {

constexpr std::size_t file_bytes_max = 1024 * 1024;

core::error refusal(std::string detail) {
  return {core::errc::invalid, "invalid_configuration", std::move(detail), {}, {}};
}

std::string at_line(std::string_view name, std::size_t line) {
  return std::string{name}.append(":").append(std::to_string(line)).append(": ");
}

raw_value neutral(const toml::node& node) {
  if (const auto* flag = node.as_boolean()) return {flag->get()};
  if (const auto* number = node.as_integer()) return {number->get()};
  if (const auto* real = node.as_floating_point()) return {real->get()};
  if (const auto* text = node.as_string()) return {text->get()};
  if (const auto* array = node.as_array()) {
    raw_value::list items;
    for (const toml::node& item : *array) items.push_back(neutral(item));
    return {std::move(items)};
  }
  return {};
}

// Collects every mistake of one file.
class reader {
 public:
  explicit reader(std::string_view name) : name_(name) {}

  void section(const toml::key& key, const toml::node& node) {
    const std::string name{key.str()};
    const toml::table* table = node.as_table();
    if (table == nullptr) {
      complain(line_of(key), name, "unknown key (keys stand in a section)");
      return;
    }
    for (const auto& [inner, value] : *table) setting(name, inner, value);
  }

  core::result<settings> finish() && {
    for (const auto& broken : check_together(out_)) {
      const auto line = lines_.find(broken.key);
      complain(line == lines_.end() ? 1 : line->second, broken.key, broken.rule);
    }
    if (complaints_.empty()) return std::move(out_);
    auto why = refusal({});
    for (const auto& [line, text] : complaints_) {
      why.detail.append(why.detail.empty() ? "" : "\n").append(text);
    }
    return why;
  }

 private:
  static std::size_t line_of(const toml::key& key) { return key.source().begin.line; }

  void setting(const std::string& section, const toml::key& key, const toml::node& value) {
    const std::string full = section + "." + std::string{key.str()};
    const key_spec* spec = find_key(full);
    if (spec == nullptr) {
      complain(line_of(key), full, "unknown key");
      return;
    }
    lines_[full] = line_of(key);
    const std::string broken = spec->read(neutral(value), out_);
    if (!broken.empty()) complain(line_of(key), full, broken);
  }

  void complain(std::size_t line, const std::string& key, const std::string& rule) {
    complaints_.emplace(line, at_line(name_, line) + "key '" + key + "': " + rule);
  }

  std::string_view name_;
  settings out_;
  std::map<std::string, std::size_t> lines_;
  std::multimap<std::size_t, std::string> complaints_;
};

// What the TOML reader would let pass, but an editor did by accident.
std::string check_bytes(std::string_view text, std::string_view name) {
  if (text.size() > file_bytes_max) return at_line(name, 1) + "the file is larger than 1 MiB";
  if (text.starts_with("\xEF\xBB\xBF")) {
    return at_line(name, 1) + "the file begins with a byte order mark; save it as plain UTF-8";
  }
  std::size_t line = 1;
  for (const char c : text) {
    if (c == '\r')
      return at_line(name, line) + "carriage return; save the file with Unix line ends";
    if (c == '\0') return at_line(name, line) + "zero byte";
    if (c == '\n') ++line;
  }
  return {};
}

}  // namespace

core::result<settings> load_text(std::string_view text, std::string_view name) {
  if (auto broken = check_bytes(text, name); !broken.empty()) return refusal(std::move(broken));
  try {
    const toml::table parsed = toml::parse(text);
    reader read(name);
    for (const auto& [key, node] : parsed) read.section(key, node);
    return std::move(read).finish();
  } catch (const toml::parse_error& why) {
    return refusal(at_line(name, why.source().begin.line).append(why.description()));
  }
}

core::result<settings> load_file(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return refusal(path + ": " + std::strerror(errno));
  if (!S_ISREG(info.st_mode)) return refusal(path + ": is not a regular file");
  if ((info.st_mode & S_IWOTH) != 0) {
    return refusal(path + ": everybody may write it; use chmod o-w");
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return refusal(path + ": " + std::strerror(errno));
  return load_text(text.str(), path);
}

}  // namespace syndicated::config
