# A server whose owner has no money: charged on in grace, frozen, thawed by a top-up that pays everything, in the end released.

clock     2027-02-01 09:00
customer  cedar-labs
nocoupons
withdraw  9999.9
start     web
clock     2027-02-01 16:00              # five hours were paid for, in part
charged   web Duration 2027-02 records 6 amount 0.1218 cash 0.1 debt 0.0218
expect    cash 0
clock     2027-02-16 14:00
machine   web 2
clock     2027-02-16 15:00              # 15 days after the first debt
machine   web 4
charged   web Duration 2027-02 records 365
clock     2027-02-20 00:00              # the last hour until it was frozen, and none since
charged   web Duration 2027-02 records 366 official 7.4298
expect    debt 7.3298
topup     7
machine   web 4
expect    debt 0.3298
topup     0.33
machine   web 2
expect    cash 0.0002
clock     2027-02-20 03:00
charged   web Duration 2027-02 records 368
clock     2027-03-22 02:00              # grace and retention have passed again
machine   web 3
refused   PURSER.1111 start web
check
