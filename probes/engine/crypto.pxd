# What the compiled engine takes from OpenSSL's libcrypto, 3.0 or later. Its types are opaque: void.
cdef extern from "<openssl/evp.h>" nogil:
    void *EVP_MAC_fetch(void *library, const char *algorithm, const char *properties)
    void EVP_MAC_free(void *mac)
    void *EVP_MAC_CTX_new(void *mac)
    void EVP_MAC_CTX_free(void *context)
    int EVP_MAC_init(void *context, const unsigned char *key, size_t size, const OSSL_PARAM *parameters)
    int EVP_MAC_update(void *context, const unsigned char *data, size_t size)
    int EVP_MAC_final(void *context, unsigned char *out, size_t *written, size_t room)
    void *EVP_CIPHER_fetch(void *library, const char *algorithm, const char *properties)
    void EVP_CIPHER_free(void *cipher)
    void *EVP_CIPHER_CTX_new()
    void EVP_CIPHER_CTX_free(void *context)
    int EVP_CipherInit_ex(void *context, void *cipher, void *engine, const unsigned char *key, const unsigned char *vector, int encrypt)
    int EVP_CipherUpdate(void *context, unsigned char *out, int *written, const unsigned char *data, int size)

cdef extern from "<openssl/params.h>" nogil:
    ctypedef struct OSSL_PARAM:
        pass
    OSSL_PARAM OSSL_PARAM_construct_utf8_string(const char *key, char *value, size_t size)
    OSSL_PARAM OSSL_PARAM_construct_end()
