#include "core/copernica/token_reload.hpp"

#include <utility>

namespace mirror::copernica {

namespace asio = boost::asio;

asio::awaitable<PageReply> TokenReload::page(const Stream& stream, PageQuery query,
                                             RequestGate& gate) {
    look_for_another();
    co_await prove_account(gate);
    try {
        co_return co_await inner_.page(stream, query, gate);
    } catch (const ApiError& error) {
        note(error);
        throw;
    }
}

asio::awaitable<Identity> TokenReload::identity(RequestGate& gate) {
    look_for_another();
    co_await prove_account(gate);
    try {
        Identity identity = co_await inner_.identity(gate);
        account_ = identity.id;
        co_return identity;
    } catch (const ApiError& error) {
        note(error);
        throw;
    }
}

asio::awaitable<StatisticsReply> TokenReload::statistics(StatisticsQuery query, RequestGate& gate) {
    look_for_another();
    co_await prove_account(gate);
    try {
        co_return co_await inner_.statistics(std::move(query), gate);
    } catch (const ApiError& error) {
        note(error);
        throw;
    }
}

void TokenReload::note(const ApiError& error) {
    refused_ = refused_ || error.kind() == ErrorKind::token_refused;
}

void TokenReload::look_for_another() {
    if (!refused_) {
        return;
    }
    const std::optional<std::string> now = source_.read();
    if (!now || *now == token_.reveal()) {
        return;
    }
    refused_ = false;
    if (!before_) {
        before_ = token_;
    }
    token_ = Secret(*now);
    source_.use(token_);
    observer_.info("there is a new access token; trying it");
}

asio::awaitable<void> TokenReload::prove_account(RequestGate& gate) {
    if (!before_ || !account_) {
        // Before the first answer the file itself says whose it is.
        before_.reset();
        co_return;
    }
    std::string id;
    try {
        Identity identity = co_await inner_.identity(gate);
        id = std::move(identity.id);
    } catch (const ApiError& error) {
        note(error);
        throw;
    }
    if (id == *account_) {
        before_.reset();
        co_return;
    }
    // Another call may have found out, too, and taken the old one back.
    if (before_) {
        token_ = *std::exchange(before_, std::nullopt);
        source_.use(token_);
    }
    refused_ = true;
    throw ApiError(ErrorKind::token_refused,
                   "the new access token belongs to another account than the file");
}

}  // namespace mirror::copernica
