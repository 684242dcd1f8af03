// The master key: spellings, owners and modes; what is refused never shows key material.
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "config/master_key.hpp"
#include "tests/support/temporary_directory.hpp"

namespace config = syndicated::config;

namespace {

const std::string hex_key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff";
const std::string base64_key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8=";

struct directory : syndicated::tests::temporary_directory {
  std::string file(const std::string& name, const std::string& content, unsigned mode) const {
    const std::string full = path() + "/" + name;
    std::ofstream(full, std::ios::binary) << content;
    BOOST_REQUIRE(::chmod(full.c_str(), mode) == 0);
    return full;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(config_master_key)

BOOST_AUTO_TEST_CASE(hex_base64_and_raw_give_the_same_key) {
  const auto hex = config::parse_master_key(hex_key + "\n");
  const auto base64 = config::parse_master_key(base64_key + "\n");
  BOOST_REQUIRE(hex.ok());
  BOOST_REQUIRE(base64.ok());
  BOOST_TEST((*hex == *base64));
  BOOST_TEST((*hex)[31] == 0xffU);
  const auto raw = config::parse_master_key(std::string(hex->begin(), hex->end()));
  BOOST_REQUIRE(raw.ok());
  BOOST_TEST((*raw == *hex));
}

BOOST_AUTO_TEST_CASE(other_lengths_and_alphabets_are_refused) {
  const std::string bad[] = {"",
                             "\n",
                             hex_key.substr(2),
                             hex_key + "00",
                             hex_key + "\n\n",
                             " " + hex_key,
                             "g" + hex_key.substr(1),
                             base64_key.substr(0, 43),
                             base64_key.substr(0, 42) + "9=",  // bits that stand for nothing
                             "-" + base64_key.substr(1),
                             "correct horse battery staple 123",  // 32 typed characters
                             std::string(33, '\0'),
                             std::string(129, 'a')};
  for (const auto& text : bad) BOOST_TEST(!config::parse_master_key(text).ok(), text);
}

BOOST_AUTO_TEST_CASE(a_named_file_must_be_private) {
  const directory dir;
  for (const unsigned mode : {0600U, 0400U}) {
    const auto path = dir.file("good", hex_key, mode);
    BOOST_TEST(config::read_master_keys({path, {}}, "").ok());
    ::unlink(path.c_str());
  }
  for (const unsigned mode : {0640U, 0644U, 0660U, 0604U, 0700U}) {
    const auto path = dir.file("open", hex_key, mode);
    const auto got = config::read_master_keys({path, {}}, "");
    BOOST_REQUIRE(!got.ok());
    BOOST_TEST(got.failure().detail.ends_with("must have mode 0600 or 0400"));
    ::unlink(path.c_str());
  }
}

BOOST_AUTO_TEST_CASE(a_link_a_directory_and_a_missing_file_are_refused) {
  const directory dir;
  const auto target = dir.file("key", hex_key, 0600);
  const std::string link = dir.path() + "/link";
  BOOST_REQUIRE(::symlink(target.c_str(), link.c_str()) == 0);
  const auto linked = config::read_master_keys({link, {}}, "");
  BOOST_REQUIRE(!linked.ok());
  BOOST_TEST(linked.failure().detail.ends_with("is a symbolic link"));
  BOOST_TEST(!config::read_master_keys({dir.path(), {}}, "").ok());
  BOOST_TEST(!config::read_master_keys({dir.path() + "/none", {}}, "").ok());
  BOOST_TEST(!config::read_master_keys({"", {}}, "").ok());
}

BOOST_AUTO_TEST_CASE(the_credential_directory_is_used_when_no_file_is_named) {
  const directory dir;
  dir.file("master-key", base64_key, 0440);  // as systemd makes it
  BOOST_TEST(config::read_master_keys({}, dir.path()).ok());
}

BOOST_AUTO_TEST_CASE(former_keys_come_from_files_and_from_a_credential) {
  const directory dir;
  const auto path = dir.file("new", hex_key, 0600);
  const auto former = dir.file("former", "aa" + hex_key.substr(2), 0600);
  const auto alone = config::read_master_keys({path, {}}, dir.path());
  BOOST_REQUIRE(alone.ok());
  BOOST_TEST(alone->previous.empty());
  dir.file("master-key-previous", "bb" + hex_key.substr(2), 0440);
  const auto all = config::read_master_keys({path, {former}}, dir.path());
  BOOST_REQUIRE(all.ok());
  BOOST_TEST(all->primary[0] == 0x00U);
  BOOST_REQUIRE(all->previous.size() == 2U);
  BOOST_TEST(all->previous[0][0] == 0xaaU);
  BOOST_TEST(all->previous[1][0] == 0xbbU);
  BOOST_TEST(!config::read_master_keys({path, {former + "x"}}, "").ok());
}

BOOST_AUTO_TEST_CASE(a_refusal_never_shows_the_content) {
  const directory dir;
  const auto path = dir.file("almost", hex_key + "ab", 0600);
  const auto got = config::read_master_keys({path, {}}, "");
  BOOST_REQUIRE(!got.ok());
  BOOST_TEST(got.failure().detail.find("0001020304") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
