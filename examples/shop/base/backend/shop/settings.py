"""What differs between machines comes from the environment."""

import os

DATABASE = os.environ.get("SHOP_DATABASE", "shop.db")
CACHE_SECONDS = int(os.environ.get("SHOP_CACHE_SECONDS", "30"))
PAYMENT_URL = os.environ.get("SHOP_PAYMENT_URL", "https://payments.lantern.test/v1")
