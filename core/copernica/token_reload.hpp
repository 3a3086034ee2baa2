// The API with a token that people may replace while the program runs.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "core/copernica/api.hpp"
#include "core/copernica/request_observer.hpp"
#include "core/util/secret.hpp"

namespace mirror::copernica {

/// Passes calls on. After a refused token it asks, before the next call, which token there is now,
/// and takes another one, but only if it belongs to the account of the one before: calls are
/// under way everywhere, and no row of another account may come into the file.
class TokenReload final : public Api {
  public:
    struct Source {
        std::function<std::optional<std::string>()> read;  ///< nothing: none that can be used
        std::function<void(Secret)> use;                   ///< from the next call on
    };

    TokenReload(Api& inner, Secret token, Source source, RequestObserver& observer)
        : inner_(inner),
          token_(std::move(token)),
          source_(std::move(source)),
          observer_(observer) {}

    boost::asio::awaitable<PageReply> page(const Stream& stream, PageQuery query,
                                           RequestGate& gate) override;
    boost::asio::awaitable<Identity> identity(RequestGate& gate) override;
    boost::asio::awaitable<StatisticsReply> statistics(StatisticsQuery query,
                                                       RequestGate& gate) override;

    int version() const override { return inner_.version(); }
    std::optional<PathFamily> paths_of(const Stream& stream) const override {
        return inner_.paths_of(stream);
    }
    void expect_paths(const Stream& stream, PathFamily family) override {
        inner_.expect_paths(stream, family);
    }

  private:
    void look_for_another();
    boost::asio::awaitable<void> prove_account(RequestGate& gate);
    void note(const ApiError& error);

    Api& inner_;
    Secret token_;
    Source source_;
    RequestObserver& observer_;
    std::optional<std::string> account_;  ///< of the tokens so far
    std::optional<Secret> before_;        ///< the token before this one, until this one is proved
    bool refused_ = false;
};

}  // namespace mirror::copernica
