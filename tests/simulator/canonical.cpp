#include "tests/simulator/canonical.hpp"

#include <algorithm>
#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace simulator {
namespace {

namespace json = boost::json;

void append(std::string& out, const json::value& value) {
    if (const json::object* object = value.if_object()) {
        std::vector<const json::key_value_pair*> members;
        for (const json::key_value_pair& member : *object) {
            members.push_back(&member);
        }
        std::sort(members.begin(), members.end(),
                  [](const auto* a, const auto* b) { return a->key() < b->key(); });
        out += '{';
        for (const json::key_value_pair* member : members) {
            if (out.back() != '{') {
                out += ',';
            }
            out += json::serialize(json::value(member->key()));
            out += ':';
            append(out, member->value());
        }
        out += '}';
    } else if (const json::array* array = value.if_array()) {
        out += '[';
        for (const json::value& element : *array) {
            if (out.back() != '[') {
                out += ',';
            }
            append(out, element);
        }
        out += ']';
    } else {
        out += json::serialize(value);
    }
}

}  // namespace

std::string canonical(std::string_view text) {
    std::string out;
    append(out, json::parse(json::string_view(text.data(), text.size())));
    return out;
}

}  // namespace simulator
