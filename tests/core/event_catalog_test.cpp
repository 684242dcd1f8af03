// The table of the daemon's own events: complete, and what it shows is what is sent.
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <vector>

#include "core/delivery/envelope.hpp"
#include "core/lifecycle/event_catalog.hpp"

namespace core = syndicated::core;
namespace fs = std::filesystem;

namespace {

const fs::path root{SYNDICATED_SOURCE_DIR};

std::string text_of(const fs::path& file) {
  std::ostringstream out;
  out << std::ifstream{file}.rdbuf();
  return out.str();
}

core::event own(std::string name) {
  core::event e;
  e.stream = {core::entity_kind::subscription, 1};
  e.name = std::move(name);
  return e;
}

// Both bodies of an event, a line each; none: it is not sent in that form.
std::string rendered(const core::event& e) {
  core::endpoint to;
  to.with_metadata = true;
  std::string out;
  for (const auto form : {core::wire_form::cloudesire, core::wire_form::standard}) {
    to.form = form;
    out += core::sent_in(form, e) ? core::render(e, to) : std::string{};
    out += '\n';
  }
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(event_catalog)

// Every dotted name in the sources that begins with a word kept for the daemon is in the table.
BOOST_AUTO_TEST_CASE(every_name_in_the_sources_is_in_the_table) {
  const std::regex dotted{
      "\"((?:tenant|user|product|plan|order|subscription|resource|operation|commitment|quota|"
      "usage|invoice|endpoint|delivery|test)\\.[a-z_]+)\""};
  std::set<std::string> seen;
  for (const char* folder : {"core", "actors", "api"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (entry.path().extension() != ".cpp" && entry.path().extension() != ".hpp") continue;
      const std::string text =
          std::regex_replace(text_of(entry.path()), std::regex{"//[^\n]*"}, "");
      for (std::sregex_iterator it{text.begin(), text.end(), dotted}, end; it != end; ++it) {
        seen.insert((*it)[1]);
        BOOST_TEST(core::find_built_in((*it)[1].str()) != nullptr,
                   entry.path().string() + ": " + (*it)[1].str());
      }
    }
  }
  BOOST_TEST(seen.contains("subscription.created"));
  BOOST_TEST(seen.contains("plan.withdrawn"));
}

BOOST_AUTO_TEST_CASE(names_are_kept_from_publishers) {
  for (const core::built_in_event& kind : core::built_in_events()) {
    BOOST_TEST(!core::why_not_publishable(kind.name).empty(), kind.name);
    BOOST_TEST(!kind.description.empty(), kind.name);
    BOOST_TEST((core::find_built_in(kind.name) == &kind));
  }
  BOOST_TEST(core::find_built_in("subscription") == nullptr);
  BOOST_TEST(core::find_built_in("zzz") == nullptr);
}

// What each is told to, at the places where it matters who does not hear of it.
BOOST_AUTO_TEST_CASE(the_audience_is_that_of_the_table) {
  using core::hears;
  const auto vendor = [](const char* name) { return core::audience_of(own(name)).vendor; };
  const auto tenants = [](const char* name) { return core::audience_of(own(name)).tenants; };
  BOOST_TEST((vendor("subscription.created") == hears::always));
  BOOST_TEST((tenants("subscription.created") == hears::always));
  BOOST_TEST((vendor("subscription.provisioning_overdue") == hears::never));
  BOOST_TEST((tenants("subscription.provisioning_overdue") == hears::always));
  BOOST_TEST((vendor("subscription.expiring") == hears::never));
  BOOST_TEST((vendor("subscription.change_scheduled") == hears::by_name));
  BOOST_TEST((vendor("subscription.purged") == hears::never));
  BOOST_TEST((tenants("subscription.purged") == hears::never));
  BOOST_TEST((vendor("plan.published") == hears::never));
  BOOST_TEST((tenants("resource.ready") == hears::never));
  BOOST_TEST((vendor("commitment.created") == hears::never));
  BOOST_TEST((core::audience_of(own("usage.recorded")).platform == hears::by_name));
  // Nobody but the platform hears of what is not in the table.
  BOOST_TEST((vendor("subscription.no_such_event") == hears::never));
  BOOST_TEST((core::audience_of(own("subscription.no_such_event")).platform == hears::always));
  // Publishers' events go where their scope says.
  core::event published = own("shop.opened");
  published.stream.kind = core::entity_kind::published;
  BOOST_TEST((core::audience_of(published).vendor == hears::always));
  BOOST_TEST((core::audience_of(published).tenants == hears::always));
}

// Cloudesire's form has no tenants: who gets it must have asked for them (domain.md, 10.11).
BOOST_AUTO_TEST_CASE(tenants_are_told_in_cloudesires_form_to_those_that_name_them) {
  for (const core::built_in_event& kind : core::built_in_events()) {
    const bool as_user = kind.stream == core::entity_kind::tenant &&
                         core::sent_in(core::wire_form::cloudesire, core::example_of(kind));
    BOOST_TEST((kind.told.cloudesire == core::hears::by_pattern) == as_user, kind.name);
  }
  const auto asks = [](std::vector<std::string> patterns, core::hears how) {
    return core::asks_for(patterns, "tenant.created", how);
  };
  using core::hears;
  BOOST_TEST(!asks({"*"}, hears::by_pattern));
  BOOST_TEST(!asks({"*", "user.*"}, hears::by_pattern));
  BOOST_TEST(asks({"*", "tenant.*"}, hears::by_pattern));
  BOOST_TEST(asks({"tenant.created"}, hears::by_pattern));
  BOOST_TEST(!asks({"tenant.deleted"}, hears::by_pattern));
  BOOST_TEST(!asks({"*", "tenant.*"}, hears::by_name));
  BOOST_TEST(asks({"*", "tenant.created"}, hears::by_name));
  BOOST_TEST(asks({"*"}, hears::always));
  BOOST_TEST(!asks({"user.*"}, hears::always));
  BOOST_TEST(!asks({"*", "tenant.created"}, hears::never));
}

// tests/golden/events/NAME: the two bodies. UPDATE_GOLDEN=1 writes them anew.
BOOST_AUTO_TEST_CASE(the_examples_are_golden) {
  const fs::path folder = root / "tests/golden/events";
  std::set<std::string> known;
  for (const core::built_in_event& kind : core::built_in_events()) {
    known.insert(std::string{kind.name});
    const std::string text = rendered(core::example_of(kind));
    const fs::path file = folder / kind.name;
    if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream{file} << text;
    BOOST_TEST(text_of(file) == text, kind.name);
  }
  for (const auto& entry : fs::directory_iterator(folder)) {
    BOOST_TEST(known.contains(entry.path().filename().string()), entry.path().string());
  }
}

BOOST_AUTO_TEST_SUITE_END()
