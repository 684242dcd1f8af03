// The escaper and the two line formats of daemon/logging.hpp. Standard library only.
#include <array>

#include "daemon/logging.hpp"

namespace syndicated::daemon {
namespace {

// Length of the well-formed UTF-8 sequence at the start of `text`, 0 when there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  }
  const unsigned second = byte(1);
  if (first == 0xE0 && second < 0xA0) return 0;  // overlong
  if (first == 0xED && second > 0x9F) return 0;  // surrogate
  if (first == 0xF0 && second < 0x90) return 0;  // overlong
  if (first == 0xF4 && second > 0x8F) return 0;  // above U+10FFFF
  return size;
}

unsigned code_point(std::string_view sequence) {
  static constexpr std::array<unsigned, 5> masks{0, 0x7F, 0x1F, 0x0F, 0x07};
  unsigned value = static_cast<unsigned char>(sequence[0]) & masks[sequence.size()];
  for (const char c : sequence.substr(1))
    value = (value << 6U) | (static_cast<unsigned>(c) & 0x3FU);
  return value;
}

// Characters that change what a terminal or an editor shows: controls and direction marks.
bool misleading(unsigned code) {
  return code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x061C ||
         (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2060 && code <= 0x2069) || code == 0xFEFF;
}

void append_escape(std::string& out, unsigned code) {
  static constexpr std::string_view digits = "0123456789abcdef";
  out += "\\u";
  for (const unsigned shift : {12U, 8U, 4U, 0U}) out += digits[(code >> shift) & 0xFU];
}

// Appends at most `bytes_max` bytes of input, each character whole.
void append_escaped(std::string& out, std::string_view text, std::size_t bytes_max) {
  const bool cut = text.size() > bytes_max;
  std::size_t at = 0;
  while (at < text.size() && at < bytes_max) {
    const std::size_t size = utf8_length(text.substr(at));
    if (size == 0) {
      append_escape(out, 0xFFFD);
      ++at;
      continue;
    }
    if (at + size > bytes_max) break;
    const std::string_view sequence = text.substr(at, size);
    const unsigned code = code_point(sequence);
    if (code == '"' || code == '\\') {
      out += '\\';
      out += sequence;
    } else if (misleading(code)) {
      append_escape(out, code);
    } else {
      out += sequence;
    }
    at += size;
  }
  if (cut) out += "...";
}

void append_quoted(std::string& out, std::string_view text, std::size_t bytes_max) {
  out += '"';
  append_escaped(out, text, bytes_max);
  out += '"';
}

// A number of JSON; "nan" and "inf" are not.
bool bare(const core::log_field& field) {
  if (field.quoted || field.value.empty()) return false;
  const char first = field.value[field.value[0] == '-' && field.value.size() > 1 ? 1 : 0];
  return (first >= '0' && first <= '9') || field.value == "true" || field.value == "false";
}

// Room for the longest field: every byte may become six, and the name.
constexpr std::size_t field_room = 6 * (log_field_bytes_max + 64) + 16;

}  // namespace

std::string format_json_line(std::string_view when, core::log_level level,
                             std::string_view component, std::string_view message,
                             const core::log_field* fields, std::size_t field_count) {
  std::string out = "{\"time\":\"";
  out.append(when).append("\",\"level\":\"").append(core::to_string(level));
  out += "\",\"component\":";
  append_quoted(out, component, 64);
  out += ",\"message\":";
  append_quoted(out, message, log_message_bytes_max);
  for (std::size_t i = 0; i < field_count; ++i) {
    if (out.size() + field_room > log_line_bytes_max) {
      out += ",\"cut\":true";
      break;
    }
    out += ',';
    append_quoted(out, fields[i].name, 64);
    out += ':';
    if (bare(fields[i])) {
      out += fields[i].value;
    } else {
      append_quoted(out, fields[i].value, log_field_bytes_max);
    }
  }
  out += '}';
  return out;
}

std::string format_text_line(std::string_view when, core::log_level level,
                             std::string_view component, std::string_view message,
                             const core::log_field* fields, std::size_t field_count) {
  std::string out{when};
  out.append(" ").append(core::to_string(level)).append(" ");
  append_escaped(out, component, 64);
  out += ": ";
  append_escaped(out, message, log_message_bytes_max);
  for (std::size_t i = 0; i < field_count && out.size() + field_room < log_line_bytes_max; ++i) {
    out += ' ';
    append_escaped(out, fields[i].name, 64);
    out += '=';
    if (bare(fields[i])) {
      out += fields[i].value;
    } else {
      append_quoted(out, fields[i].value, log_field_bytes_max);
    }
  }
  return out;
}

}  // namespace syndicated::daemon
