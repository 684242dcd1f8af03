// Users, their roles and passwords (domain.md 10.4), as tables.
#include <boost/test/unit_test.hpp>

#include <array>

#include "core/base/limits.hpp"
#include "core/lifecycle/password.hpp"
#include "core/lifecycle/user.hpp"

namespace syndicated::core {
namespace {

const timestamp noon = *parse_rfc3339("2026-11-21T12:00:00Z");
const std::string link(32, 'l');

constexpr std::array all_statuses{user_status::created, user_status::active, user_status::disabled,
                                  user_status::deleted, user_status::purged};
constexpr std::array all_actions{user_action::update,      user_action::activate,
                                 user_action::follow_link, user_action::request_activation,
                                 user_action::issue_link,  user_action::disable,
                                 user_action::enable,      user_action::erase,
                                 user_action::set_roles,   user_action::timer,
                                 user_action::condemn,     user_action::purge};

user in(user_status status) {
  user u;
  u.id = {5};
  u.tenant = {3};
  u.login = "RichardDoe";
  u.contact.email = "r@example.com";
  u.version = 4;
  u.activation_hash = link;
  u.activation_until = noon + std::chrono::hours{1};
  u.activated = status != user_status::created;
  u.enabled = status == user_status::created || status == user_status::active;
  if (status == user_status::deleted || status == user_status::purged) {
    u.deleted_at = noon;
    u.purge_at = noon + std::chrono::hours{720};
  }
  u.purged = status == user_status::purged;
  return u;
}

result<user_decision> run(const user& from, user_action action) {
  user_command c;
  c.action = action;
  c.password_hash = "hash";
  c.link_hash = link;
  if (action == user_action::update) c.edit.language = "it";
  if (action == user_action::set_roles) c.roles = {{0, {3}, "backup_user", {}, 0}};
  return decide(from, c, {noon});
}

std::string after(const user& from, user_action action) {
  const auto decided = run(from, action);
  if (!decided.ok()) return decided.failure().kind == errc::gone ? "gone" : "-";
  if (!decided->changed) return "=";
  std::string out;
  for (const event_draft& e : decided->events) out += e.name.substr(5) + ' ';
  return out + std::string{to_string(status_of(decided->next))};
}

BOOST_AUTO_TEST_SUITE(user_machine)

BOOST_AUTO_TEST_CASE(every_status_under_every_action) {
  const std::array<std::array<std::string_view, 12>, 5> table{{
      {"updated CREATED", "activated ACTIVE", "activated ACTIVE", "activation_requested CREATED",
       "CREATED", "disabled DISABLED", "=", "-", "role_granted CREATED", "=", "deleted DELETED",
       "-"},
      {"updated ACTIVE", "ACTIVE", "ACTIVE", "=", "ACTIVE", "disabled DISABLED", "=", "-",
       "role_granted ACTIVE", "=", "deleted DELETED", "-"},
      {"updated DISABLED", "DISABLED", "DISABLED", "=", "DISABLED", "=", "enabled ACTIVE",
       "deleted DELETED", "role_granted DISABLED", "=", "deleted DELETED", "-"},
      {"-", "-", "-", "-", "-", "-", "-", "=", "-", "=", "DELETED", "-"},
      {"gone", "gone", "gone", "gone", "gone", "gone", "gone", "gone", "gone", "=", "=", "="},
  }};
  for (std::size_t s = 0; s < all_statuses.size(); ++s) {
    for (std::size_t a = 0; a < all_actions.size(); ++a) {
      const std::string found = after(in(all_statuses[s]), all_actions[a]);
      BOOST_TEST(found == table[s][a], to_string(all_statuses[s])
                                           << " under " << to_string(all_actions[a]) << " (" << a
                                           << "): " << found);
    }
  }
}

BOOST_AUTO_TEST_CASE(enabling_gives_back_what_it_was) {
  const user off = run(in(user_status::created), user_action::disable)->next;
  BOOST_TEST(after(off, user_action::enable) == "enabled CREATED");
}

BOOST_AUTO_TEST_CASE(a_link_works_once_and_not_for_ever) {
  user u = in(user_status::created);
  user_command c;
  c.action = user_action::follow_link;
  c.link_hash = std::string(32, 'x');
  BOOST_TEST(decide(u, c, {noon}).failure().code == "link_invalid");
  c.link_hash = link;
  BOOST_TEST(decide(u, c, {*u.activation_until}).failure().code == "link_invalid");
  const auto done = decide(u, c, {noon});
  BOOST_REQUIRE(done.ok());
  BOOST_TEST(decide(done->next, c, {noon}).failure().code == "link_invalid");
  u.activation_hash.clear();
  c.link_hash.clear();
  BOOST_TEST(decide(u, c, {noon}).failure().code == "link_invalid");
}

BOOST_AUTO_TEST_CASE(roles_are_given_and_taken_as_a_list) {
  user_command c;
  c.action = user_action::set_roles;
  c.issuer = {2};
  c.roles = {{0, {3}, "backup_user", {}, 0}, {0, {3}, "company_admin", {}, 0}};
  auto d = decide(in(user_status::active), c, {noon});
  BOOST_REQUIRE(d.ok());
  BOOST_TEST(d->events.size() == 2U);
  BOOST_TEST(d->next.roles[1].id == 2U);
  BOOST_TEST(d->next.roles[1].issuer.value == 2U);
  BOOST_TEST(d->next.version == 5U);
  BOOST_TEST(has_service_role(d->next));
  const user two = d->next;
  BOOST_TEST(!decide(two, c, {noon})->changed);  // the same list, without ids

  c.roles = {two.roles[1], {0, {3}, "unit_admin", {}, 0}};
  d = decide(two, c, {noon});
  BOOST_REQUIRE(d.ok());
  BOOST_TEST(d->events.at(0).name == "user.role_revoked");
  BOOST_TEST(d->events.at(0).change_json == R"({"role_id":1,"role":"backup_user","tenant_id":3})");
  BOOST_TEST(d->events.at(1).name == "user.role_granted");
  BOOST_TEST(d->next.roles[1].id == 3U);  // 2 is not given out again
  BOOST_TEST(!has_service_role(d->next));

  c.roles = {two.roles[0]};
  c.roles[0].version = 7;
  BOOST_TEST(decide(two, c, {noon}).failure().code == "version_mismatch");
  c.roles[0] = {9, {3}, "backup_user", {}, 1};
  BOOST_TEST(decide(two, c, {noon}).failure().fields.at(0).pointer == "/items/0/id");
  c.roles[0] = {0, {3}, "Backup User", {}, 0};
  BOOST_TEST(decide(two, c, {noon}).failure().fields.at(0).pointer == "/items/0/role_id");
  c.roles.assign(limits::user_roles_max + 1, {0, {3}, "backup_user", {}, 0});
  BOOST_TEST(!decide(two, c, {noon}).ok());
}

BOOST_AUTO_TEST_CASE(who_is_usable) {
  user u = in(user_status::active);
  BOOST_TEST(!usable(u, true));  // no role
  u.roles = {{1, {3}, "backup_user", {}, 1}};
  BOOST_TEST(usable(u, true));
  BOOST_TEST(!usable(u, false));
  u.activated = false;
  BOOST_TEST(!usable(u, true));
  u.activated = true;
  u.enabled = false;
  BOOST_TEST(!usable(u, true));
}

BOOST_AUTO_TEST_CASE(a_purge_leaves_the_id_alone) {
  user u = run(in(user_status::disabled), user_action::erase)->next;
  BOOST_TEST((next_timer(u) == noon + std::chrono::hours{720}));
  user_command timer;
  timer.action = user_action::timer;
  BOOST_TEST(!decide(u, timer, {*u.purge_at - std::chrono::milliseconds{1}})->changed);
  u = decide(u, timer, {*u.purge_at})->next;
  BOOST_TEST(u.purging);
  u = run(u, user_action::purge)->next;
  BOOST_TEST(u.login.empty());
  BOOST_TEST(u.contact.email.empty());
  BOOST_TEST(u.id.value == 5U);
  BOOST_TEST(!next_timer(u));
}

BOOST_AUTO_TEST_CASE(what_a_login_may_be) {
  BOOST_TEST(login_key("RichardDOE@Example.com") == "richarddoe@example.com");
  BOOST_TEST(why_not_login("a") == "");
  BOOST_TEST(why_not_login(std::string(255, 'a')) == "");
  for (const std::string& bad : {std::string{}, std::string(256, 'a'), std::string{"a b"},
                                 std::string{"ü"}, std::string{"a\tb"}}) {
    BOOST_TEST(why_not_login(bad) != "");
  }
}

BOOST_AUTO_TEST_CASE(passwords_are_kept_as_hashes) {
  const std::string salt(password_salt_bytes, 's');
  for (const std::string& password :
       {std::string{"newUserPassword312"}, std::string{"ü€"}, std::string(1'024, 'x')}) {
    const std::string stored = hash_password(password, salt);
    BOOST_TEST(stored.find(password) == std::string::npos);
    BOOST_TEST(fits_password(stored, password));
    BOOST_TEST(!fits_password(stored, password + "x"));
  }
  // The vector of RFC 7914, 12, cut to our length.
  BOOST_TEST(
      fits_password("scrypt$14$8$1$U29kaXVtQ2hsb3JpZGU=$"
                    "cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofI=",
                    "pleaseletmein"));
  for (const std::string_view broken :
       {"", "scrypt", "scrypt$14$8$5$c3M=$", "md5$1$1$1$c3M=$c3M=", "scrypt$99$8$5$c3M=$c3M="}) {
    BOOST_TEST(!fits_password(broken, ""));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::core
