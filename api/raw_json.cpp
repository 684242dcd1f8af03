#include "api/raw_json.hpp"

#include <algorithm>

namespace syndicated::api {
namespace {

// Goes over a text that is known to be JSON, so quotes and brackets are all there is to look at.
class scanner {
 public:
  explicit scanner(std::string_view text) noexcept : text_(text) {}

  std::size_t at() const noexcept { return at_; }
  void skip_space() noexcept {
    while (more() && (now() == ' ' || now() == '\t' || now() == '\n' || now() == '\r')) ++at_;
  }
  void skip_one() noexcept { at_ += more() ? 1 : 0; }
  void skip_value() noexcept {
    if (!more()) return;
    if (now() == '"') return skip_string();
    if (now() != '{' && now() != '[') {
      at_ = std::min(text_.find_first_of(",}] \t\n\r", at_), text_.size());
      return;
    }
    std::size_t depth = 0;
    while (more()) {
      const char c = now();
      if (c == '"') {
        skip_string();
        continue;
      }
      ++at_;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return;
    }
  }
  std::string_view since(std::size_t begin) const noexcept {
    return text_.substr(begin, at_ - begin);
  }

 private:
  bool more() const noexcept { return at_ < text_.size(); }
  char now() const noexcept { return text_[at_]; }
  void skip_string() noexcept {
    for (++at_; more() && now() != '"'; ++at_) {
      if (now() == '\\') ++at_;
    }
    at_ = std::min(at_ + 1, text_.size());
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::string_view raw_member(std::string_view object, std::size_t index) noexcept {
  scanner s{object};
  s.skip_space();
  s.skip_one();  // {
  for (std::size_t i = 0;; ++i) {
    s.skip_space();
    s.skip_value();  // the name
    s.skip_space();
    s.skip_one();  // :
    s.skip_space();
    const std::size_t begin = s.at();
    s.skip_value();
    if (i == index) return s.since(begin);
    s.skip_space();
    s.skip_one();  // ,
    if (s.at() == object.size()) return {};
  }
}

}  // namespace syndicated::api
