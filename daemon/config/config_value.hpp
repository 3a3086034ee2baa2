// One key's value on its way from a TOML file into the configuration.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <toml++/toml.h>

#include "core/time/instant.hpp"
#include "daemon/config/listen_address.hpp"
#include "daemon/process/usage_error.hpp"

namespace mirror::daemon {

/// What is wrong in a file, and on which line. Names from the file come from outside: they are
/// shown on one line, and nothing in them moves the cursor.
UsageError config_error(const std::filesystem::path& file, toml::source_index line,
                        const std::string& what);

/// Each function returns the value, or throws UsageError that names file, line, key, and what the
/// key takes.
class ConfigValue {
  public:
    /// `name` is the key's, for people. `file` and `node` must outlive it.
    ConfigValue(const std::filesystem::path& file, std::string name, const toml::node& node)
        : file_(file), name_(std::move(name)), node_(node) {}

    /// `wanted` completes "… must be".
    [[noreturn]] void refuse(const std::string& wanted) const;

    std::string text(const std::string& wanted) const;
    std::string one_of(const std::vector<std::string>& choices) const;
    unsigned number(unsigned least, unsigned most) const;
    Seconds duration(Seconds least, Seconds most) const;
    /// Nothing if the text is empty.
    std::optional<Seconds> duration_or_none(Seconds least, Seconds most) const;
    std::string time_zone() const;
    /// As it is written: the URL of a server that the token may go to.
    std::string base_url() const;
    /// As it is written: empty, "none", or the URL of a proxy, which is in no error.
    std::string proxy() const;
    /// Names of streams: a list, or "all".
    std::vector<std::string> streams() const;
    /// Relative to the file; empty if the text is.
    std::filesystem::path path() const;
    /// Nothing if the text is empty.
    std::optional<ListenAddress> listen_address() const;
    /// Nothing if the text is empty.
    std::optional<LocalTime> time() const;
    bool yes_or_no() const;

    /// Each element, read by `read(const ConfigValue&)`.
    template <typename Read>
    auto list(const std::string& wanted, Read read) const {
        std::vector<std::invoke_result_t<Read, ConfigValue>> values;
        const toml::array* const array = node_.as_array();
        if (array == nullptr) {
            refuse(wanted);
        }
        for (const toml::node& element : *array) {
            values.push_back(read(ConfigValue(file_, "each of " + name_, element)));
        }
        return values;
    }

  private:
    const std::filesystem::path& file_;
    std::string name_;
    const toml::node& node_;
};

}  // namespace mirror::daemon
